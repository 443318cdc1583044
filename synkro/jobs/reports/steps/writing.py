"""Writing to the client's Supabase: what both writing steps and the report have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from synkro.integrations.errors import Gone
from synkro.integrations.supabase.client import Supabase
from synkro.integrations.supabase.errors import ROW_REFUSED, TABLES_DIFFER
from synkro.jobs.reports.step import Ctx, Done

PROTOCOL = "synkro_analyses"
"""The answers of the AI: the report stands without them."""


class Writer:
    """Counts, over all tries of a step, what was written into each table and what the client's tables refused.

    A refused row does not stop the others. Where so many are refused that the rest was not tried, or where a table
    took none, it raises Gone("supabase_tables_differ"), and the step begins anew once the tables are mended.
    """

    def __init__(self, ctx: Ctx) -> None:
        self._ctx = ctx
        self._supabase = ctx.connect(Supabase)
        self._written = Counter[str](ctx.cursor.get("rows_written", {}))
        self._refused = Counter[str](ctx.cursor.get("rows_refused", {}))

    def upsert(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        try:
            self._written[table] += self._supabase.upsert(table, rows)
        except Gone as error:
            if error.code == TABLES_DIFFER:
                self._begin_anew()
            if error.code != ROW_REFUSED:
                raise
            self._written[table] += error.params["written"]
            self._refused[table] += error.params["rows"]

    def mark(self, **cursor: Any) -> None:
        """Remember how far the writing has come, and in the same breath the counts: a page done twice counts once."""
        self._ctx.mark(**cursor, rows_written=self._written, rows_refused=self._refused)

    def insist(self) -> None:
        """Raises Gone where a table was offered rows so far and took not one."""
        for table, refused in self._refused.items():
            if refused and not self._written[table] and table != PROTOCOL:
                self._begin_anew()
                raise Gone(TABLES_DIFFER, rows=refused)

    def done(self) -> Done:
        self.insist()
        refused = self._refused.total()
        return Done("rows_refused", {"rows": refused}) if refused else Done()

    def _begin_anew(self) -> None:
        """What was refused before is tried as well when the run is continued."""
        self._ctx.cursor.clear()
        self._ctx.mark()
