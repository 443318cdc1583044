"""Writing and reading whole tables over Supabase's REST interface (PostgREST)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from synkro.integrations.errors import Gone, Nonsense
from synkro.integrations.http.calls import HttpAnswer, Params
from synkro.integrations.http.client import HttpConnection
from synkro.integrations.supabase.errors import TABLES_DIFFER, RowRefused, TooSlow
from synkro.integrations.supabase.rows import Row

SERVICE = "Supabase"
PAGE = 1_000
"""Hosted projects never give more rows at once, and do not say so."""
MOST_REFUSED = 50
"""So many bad rows are no accident of single rows: the tables are not as we expect them, and the rest is not tried."""
READ_SECONDS = 65
"""The vendor ends a request itself after 60."""
UPSERT = {"Prefer": "resolution=merge-duplicates,return=minimal,count=exact"}


def path(table: str) -> str:
    return f"/rest/v1/{table}"


class Writer:
    """Writes batches into one table and counts: rows that the database confirmed and rows that it refused."""

    def __init__(self, http: HttpConnection, table: str, key: Sequence[str]) -> None:
        self.written = 0
        self.refused = 0
        self._http = http
        self._path = path(table)
        self._params = (("on_conflict", ",".join(key)),)

    def write(self, batch: list[Row]) -> None:
        """One batch. A refused or too slow one is cut in halves, down to the single bad row, which is left out."""
        try:
            self.written += self._send(batch)
        except (RowRefused, TooSlow) as error:
            if len(batch) > 1:
                middle = len(batch) // 2
                self.write(batch[:middle])
                self.write(batch[middle:])
                return
            if isinstance(error, TooSlow):
                raise
            self._leave_out(error)

    def _leave_out(self, error: RowRefused) -> None:
        self.refused += 1
        if self.refused > MOST_REFUSED:
            raise Gone(TABLES_DIFFER, rows=self.refused) from error

    def _send(self, batch: list[Row]) -> int:
        """Repeated freely: the same rows with the same keys leave the same table."""
        answer = self._http.post(
            self._path,
            batch,
            self._params,
            headers=UPSERT,
            tries=4,
            final=TooSlow,
            read_seconds=READ_SECONDS,
            deadline_seconds=4 * READ_SECONDS,
        )
        written = total(answer)
        if written != len(batch):
            raise Nonsense("supabase_count_differs", rows=len(batch), written=written)
        return written


def read_all(
    http: HttpConnection, table: str, columns: Sequence[str], order: Sequence[str], filters: Params, page: int
) -> Iterator[Row]:
    """Every row in the given order, read on from the last one until a page is empty: a cap may shorten any page.

    With several columns in the order, the rows that share all but the last of them come first, and so on outwards.
    """
    params: tuple[tuple[str, str | int], ...] = (
        ("select", ",".join(dict.fromkeys([*columns, *order]))),
        ("order", ",".join(f"{name}.asc" for name in order)),
        ("limit", page),
        *filters,
    )
    last: tuple[str, ...] = ()
    depth = 0
    while True:
        answer = http.get(path(table), (*params, *_after(order, last, depth)), read_seconds=READ_SECONDS)
        rows = rows_of(answer, order)
        yield from rows
        if rows:
            last, depth = _further(rows[-1], order, last), len(order)
        elif depth > 1:
            depth -= 1
        else:
            return


def _after(order: Sequence[str], last: Sequence[str], depth: int) -> list[tuple[str, str]]:
    """Conditions for the rows that equal the last one in the first depth-1 columns and lie behind it in the next."""
    if not depth:
        return []
    same = [(name, f"eq.{value}") for name, value in zip(order[: depth - 1], last, strict=False)]
    return [*same, (order[depth - 1], f"gt.{last[depth - 1]}")]


def _further(row: Row, order: Sequence[str], last: tuple[str, ...]) -> tuple[str, ...]:
    """Where the page ended. A page that ends where the one before did would be read for ever."""
    reached = tuple(str(row[name]) for name in order)
    if reached == last:
        raise Nonsense("unexpected_shape", service=SERVICE)
    return reached


def rows_of(answer: HttpAnswer, needed: Sequence[str] = ()) -> list[Row]:
    """The rows of an answer. Raises Nonsense unless it is a list of objects that have the needed columns."""
    rows: Any = answer.json()
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.keys() >= set(needed) for row in rows):
        raise Nonsense("unexpected_shape", service=SERVICE)
    return rows


def total(answer: HttpAnswer) -> int:
    """The number behind the slash of Content-Range: rows written, or rows that there are."""
    found = re.fullmatch(r"[^/]*/(\d+)", answer.headers.get("content-range", ""), re.ASCII)
    if not found:
        raise Nonsense("unexpected_shape", service=SERVICE)
    return int(found[1])
