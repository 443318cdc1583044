"""Values out of a vendor's JSON, which may hold anything: a wrong one is None or empty, never an exception."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BIGGEST = 2**63 - 1
"""What a bigint column holds."""


def number(value: Any) -> int | None:
    """A whole number, also as text; None for anything that a bigint cannot hold."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > BIGGEST:
        return None
    return value


def inner(row: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The object under the names, one inside the other; empty where one is absent, null or a list."""
    for name in names:
        found = row.get(name)
        row = found if isinstance(found, Mapping) else {}
    return row


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; none where it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
