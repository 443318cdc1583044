"""The one error of the embedded engines."""

from __future__ import annotations


class EngineError(Exception):
    """An engine cannot be started or stopped; the message names the folder or the log file that tells more."""
