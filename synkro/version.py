"""The version of this release. The one place that names it."""

from __future__ import annotations

__version__ = "1.1.0"
