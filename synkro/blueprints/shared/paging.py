"""Long lists, one page at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from werkzeug.datastructures import MultiDict

LAST_PAGE = 100_000
"""Greater numbers are somebody's play; PostgreSQL would not even count that far."""


def asked_page(args: MultiDict[str, str]) -> int:
    """From 1; what is no number of a page means the first."""
    return min(max(args.get("page", 1, type=int), 1), LAST_PAGE)


def pager(page: int, pages: int, url: Callable[[int], str]) -> Mapping[str, object]:
    """What ui/pager.html shows."""
    return {
        "page": page,
        "pages": pages,
        "newer_url": url(page - 1) if page > 1 else "",
        "older_url": url(page + 1) if page < pages else "",
    }
