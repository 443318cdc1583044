"""The body of a write as PostgREST takes it: objects with the same keys, known columns, text fit to store."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from flask import request

from synkro.sandbox.supabase.errors import PgError, bad_json, no_payload_column
from synkro.sandbox.supabase.tables import Table
from synkro.sandbox.supabase.types import refuse_unstorable

_JSON = "application/json"


def payload(table: Table, missing: Any) -> list[dict[str, Any]]:
    """The rows of the body. missing: what a column named in `columns` is when a row has none of it.

    Raises PgError 400.
    """
    kind = request.mimetype or _JSON
    if kind != _JSON:
        raise PgError(415, "PGRST102", f"Content-Type not acceptable: {kind}")
    body = _parsed(request.get_data())
    rows: list[Any] = body if isinstance(body, list) else [body] if isinstance(body, dict) else []
    if "columns" in request.args:
        names = request.args["columns"].split(",")
        rows = [{name: row.get(name, missing) for name in names} for row in rows]
    if any(not isinstance(row, dict) or row.keys() != rows[0].keys() for row in rows):
        raise PgError(400, "PGRST102", "All object keys must match")
    for name in rows[0] if rows else ():
        if name not in table.columns:
            raise no_payload_column(name, table.name)
    refuse_unstorable(body)
    return rows


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise bad_json() from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
