"""Long lists, one page at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from synkro.services.shared.paging import Page

LAST_PAGE = 100_000
"""Greater numbers are somebody's play; PostgreSQL would not even count that far."""


def asked_page(args: MultiDict[str, str]) -> int:
    """From 1; what is no number of a page means the first."""
    return min(max(args.get("page", 1, type=int), 1), LAST_PAGE)


def pager(found: Page[Any], url: Callable[[int], str]) -> Mapping[str, object]:
    """What ui/pager.html shows."""
    return {
        "page": found.page,
        "pages": found.pages,
        "newer_url": url(found.page - 1) if found.page > 1 else "",
        "older_url": url(found.page + 1) if found.page < found.pages else "",
    }
