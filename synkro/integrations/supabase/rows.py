"""Rows on their way into Supabase: cleaned, gathered into batches, each key once and in one order."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

BATCH_ROWS = 500
BATCH_BYTES = 1_000_000
"""No limit of a request is documented; these keep one well inside the eight seconds that a statement may take."""

DEEPEST = 100
"""Levels of nesting that are kept. No vendor sends as many; without a limit a hostile answer would end the step."""

Row = dict[str, Any]


def clean(value: Any, room: int = DEEPEST) -> Any:
    """The value as PostgreSQL can store it in text and jsonb. room: how many levels may still follow.

    Without NUL and half surrogates, which it refuses; NaN and the infinities become None; datetimes become ISO 8601.
    """
    if not room:
        return None
    if isinstance(value, str):
        return value.replace("\0", "").encode(errors="ignore").decode()
    if isinstance(value, dict):
        return {clean(str(name)): clean(inner, room - 1) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(inner, room - 1) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, (UUID, Decimal)) else value


def batches(rows: Iterable[Row], key: Sequence[str]) -> Iterator[list[Row]]:
    """Lists of at most BATCH_ROWS rows and BATCH_BYTES of JSON (one larger row goes alone), reading as it yields.

    All rows of a batch have the same columns: PostgREST refuses a mixture, and a filled-in null would overwrite.
    """
    batch: list[Row] = []
    size = 0
    for row in map(clean, rows):
        length = len(json.dumps(row, ensure_ascii=False).encode())
        full = len(batch) == BATCH_ROWS or size + length > BATCH_BYTES
        if batch and (full or row.keys() != batch[0].keys()):
            yield _settled(batch, key)
            batch, size = [], 0
        batch.append(row)
        size += length
    if batch:
        yield _settled(batch, key)


def _settled(batch: list[Row], key: Sequence[str]) -> list[Row]:
    """Each key once, the last row wins: twice is an error. In key order: two writers then cannot lock each other."""
    unique = {tuple(str(row[name]) for name in key): row for row in batch}
    return [unique[identity] for identity in sorted(unique)]
