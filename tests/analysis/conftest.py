"""No time limit for a single example: the machines that run these tests are shared."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("analysis", deadline=None)
settings.load_profile("analysis")
