"""Values out of a vendor's JSON, which may hold anything: a wrong one is None or empty, never an exception."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

BIGGEST = 2**63 - 1
"""What a bigint column holds."""
MOST_COUNTED = 10**9
"""Of tokens and the like: the sum of two still goes into an integer column."""
LONGEST_TEXT, MOST_ITEMS, DEEPEST = 1_000, 2_000, 8
"""Of a value that is kept as it is: characters of a text, items of a list or an object, levels."""
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Controls but tab and line break, half surrogates, what turns the direction of writing: some store refuses each."""


def number(value: Any) -> int | None:
    """A whole number, also as text; None for anything that a bigint cannot hold."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > BIGGEST:
        return None
    return value


def count(value: Any) -> int:
    """A whole number from 0 to MOST_COUNTED; 0 for anything that is no number."""
    return min(max(number(value) or 0, 0), MOST_COUNTED)


def words(value: Any, limit: int) -> str:
    """Text that people may see and stores may keep, at most limit characters; "" for what is no text and no number."""
    text = value if isinstance(value, str) else str(found) if (found := number(value)) is not None else ""
    # cut before, so that a text of megabytes is not searched, and after, so that what is taken out does not count
    return _HARMFUL.sub("", text[: 4 * limit]).strip()[:limit]


def inner(row: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The object under the names, one inside the other; empty where one is absent, null or a list."""
    for name in names:
        found = row.get(name)
        row = found if isinstance(found, Mapping) else {}
    return row


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; none where it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def bounded(value: Any, room: int = DEEPEST) -> Any:
    """JSON that a jsonb column takes and a page can show, whatever a vendor put in. room: levels that may follow."""
    if isinstance(value, str):
        return words(value, LONGEST_TEXT)
    if value is None or isinstance(value, bool) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if not isinstance(value, Mapping | list | tuple):
        return number(value)
    if not room:
        return None
    if isinstance(value, Mapping):
        return {str(bounded(str(name))): bounded(one, room - 1) for name, one in islice(value.items(), MOST_ITEMS)}
    return [bounded(one, room - 1) for one in value[:MOST_ITEMS]]
