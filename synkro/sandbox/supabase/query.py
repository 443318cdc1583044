"""The query string of PostgREST as far as Synkro uses it: select, order, limit, offset, Range."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from synkro.sandbox.supabase.errors import PgError, no_column, not_practised
from synkro.sandbox.supabase.tables import Row, Table

MAX_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """Rows [start, start + size) of the answer; the cap on rows is already in size."""

    start: int
    size: int


def page(args: Mapping[str, str], range_header: str | None) -> Page:
    start, size = _whole(args, "offset", 0), _whole(args, "limit", MAX_ROWS)
    if found := re.fullmatch(r"(?:items=)?(\d+)-(\d*)", range_header or ""):
        start = max(start, int(found[1]))
        size = min(size, int(found[2]) - start + 1) if found[2] else size
    return Page(start, max(0, min(size, MAX_ROWS)))


def _whole(args: Mapping[str, str], name: str, default: int) -> int:
    text = args.get(name, str(default))
    if not re.fullmatch(r"\d+", text):
        raise PgError(400, "PGRST100", f'"failed to parse {name} parameter ({text})" (line 1, column 1)')
    return int(text)


def ordered(table: Table, rows: list[Row], order: str | None) -> list[Row]:
    """By the order parameter; missing values last when ascending, first when descending, unless it says otherwise."""
    for item in reversed(order.split(",") if order else []):
        column, *ways = item.split(".")
        if column not in table.columns:
            raise no_column(column, table.name)
        if set(ways) - {"asc", "desc", "nullsfirst", "nullslast"}:
            raise PgError(400, "PGRST100", f'"failed to parse order ({order})" (line 1, column 1)')
        down = "desc" in ways
        first = "nullsfirst" in ways or (down and "nullslast" not in ways)
        present = [row for row in rows if row[column] is not None]
        absent = [row for row in rows if row[column] is None]
        present.sort(key=operator.itemgetter(column), reverse=down)
        rows = absent + present if first else present + absent
    return rows


def chosen(table: Table, select: str | None) -> Callable[[Row], Row]:
    """What select leaves of a row shown as JSON: `*`, columns, `alias:column`."""
    picks: dict[str, str] = {}
    for item in (select or "*").split(","):
        if item == "*":
            picks.update({name: name for name in table.columns})
            continue
        alias, _, name = item.rpartition(":")
        if name not in table.columns:
            if not name.isidentifier():
                raise not_practised(f"select={item}")
            raise no_column(name, table.name)
        picks[alias or name] = name
    return lambda shown: {alias: shown[name] for alias, name in picks.items()}
