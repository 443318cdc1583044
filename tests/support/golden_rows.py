"""The form of the golden table's rows: each group of pages brings its own, in its access_rows.py."""

from __future__ import annotations

PEOPLE = ("nobody", "user", "settings", "other", "lite", "admin")
"""Visitor, user, user with settings, user of another company, staff, chief of staff."""
Rows = dict[tuple[str, str], tuple[int, int, int, int, int, int]]
"""Method and endpoint -> the status that each of PEOPLE gets."""
Fresh = dict[str, str]
"""Endpoint -> what has to have been shown in the last quarter of an hour."""
