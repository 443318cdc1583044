"""Writing to the client's Supabase: what both writing steps and the report have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from synkro.integrations.errors import Gone
from synkro.integrations.supabase import Supabase


class Writer:
    """Counts what was written and what the client's tables refused; a refused row does not stop the others."""

    def __init__(self, supabase: Supabase) -> None:
        self._supabase = supabase
        self.written = 0
        self.refused = 0

    def upsert(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        try:
            self.written += self._supabase.upsert(table, rows)
        except Gone as error:
            if error.code != "supabase_row_refused":
                raise
            self.written += int(error.params.get("written", 0))
            self.refused += int(error.params.get("rows", 0))
