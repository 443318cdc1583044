"""These tests ask as a browser does."""

from __future__ import annotations

from tests.support.web_client import client, enter

__all__ = ["client", "enter"]
