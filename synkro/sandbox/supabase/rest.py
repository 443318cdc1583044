"""PostgREST's answers about tables: privileges, reading in pages, upserts and the headers that go with them."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue

from synkro.sandbox.faults import Faults
from synkro.sandbox.supabase.errors import (
    OutOfRange,
    PgError,
    no_payload_column,
    no_privilege,
    no_table,
    not_one,
    row_security,
)
from synkro.sandbox.supabase.filters import conditions, matching
from synkro.sandbox.supabase.gateway import needs_filter
from synkro.sandbox.supabase.payload import payload
from synkro.sandbox.supabase.query import chosen, ordered, page
from synkro.sandbox.supabase.sql import Tables
from synkro.sandbox.supabase.tables import DEFAULT, OnConflict, Row, Table

_JSON = "application/json"
_ONE = "application/vnd.pgrst.object+json"
_RESOLUTION: dict[str, OnConflict] = {"merge-duplicates": "merge", "ignore-duplicates": "ignore"}


class Rest:
    """One request of one role."""

    def __init__(self, tables: Tables, role: str, faults: Faults) -> None:
        self.tables = tables
        self.role = role
        self.faults = faults
        header = ",".join(request.headers.getlist("Prefer"))
        self.prefer = dict(one.strip().partition("=")[::2] for one in header.split(",") if "=" in one)

    def describe(self) -> ResponseReturnValue:
        """The OpenAPI root: tables appear only when the role was granted something on them."""
        seen = {name: table for name, table in self.tables.items() if table.grants.get(self.role)}
        body = {
            "swagger": "2.0",
            "info": {"title": "standard public schema", "version": "14.5"},
            "paths": {"/": {}, **{f"/{name}": {} for name in seen}},
            "definitions": {name: _definition(table) for name, table in seen.items()},
        }
        return Response(json.dumps(body), content_type="application/openapi+json; charset=utf-8")

    def answer(self, name: str) -> ResponseReturnValue:
        profile = request.headers.get("Accept-Profile") or request.headers.get("Content-Profile") or "public"
        if profile != "public":
            raise PgError(406, "PGRST106", f"Invalid schema: {profile}")
        table = self._table(name)
        if request.method == "POST":
            return self._insert(table)
        if request.method in {"GET", "HEAD"}:
            return self._read(table)
        if needs_filter(request.method, request.args):
            verb = {"PATCH": "UPDATE"}.get(request.method, request.method)
            raise PgError(400, "21000", f"{verb} requires a WHERE clause")
        return self._update(table) if request.method == "PATCH" else self._delete(table)

    def _table(self, name: str) -> Table:
        if stale := self.faults.take("stale_cache"):
            if not stale.value:
                raise no_table(name, [])
            if request.method in {"POST", "PATCH"}:
                raise no_payload_column(stale.value, name)
        if name not in self.tables:
            raise no_table(name, list(self.tables))
        return self.tables[name]

    def _read(self, table: Table) -> ResponseReturnValue:
        rows = matching(self._visible(table, ["SELECT"]), conditions(table, request.args.items(multi=True)))
        rows = ordered(table, rows, request.args.get("order"))
        pick = chosen(table, request.args.get("select"))
        wanted = page(request.args, request.headers.get("Range"))
        shown = [pick(table.show(row)) for row in rows[wanted.start : wanted.start + wanted.size]]
        one = _ONE in request.headers.get("Accept", "")
        if one and len(shown) != 1:
            raise not_one(len(shown))
        total = len(rows) if self.prefer.get("count") else None
        if total is not None and wanted.start > total:
            raise OutOfRange(wanted.start, total)
        span = f"{wanted.start}-{wanted.start + len(shown) - 1}" if shown else "*"
        status = 206 if total is not None and len(shown) < total else 200
        body = shown[0] if one else shown
        return self._respond(body, status, f"{span}/{'*' if total is None else total}", _ONE if one else _JSON)

    def _insert(self, table: Table) -> ResponseReturnValue:
        action = _RESOLUTION.get(self.prefer.get("resolution", ""), "fail")
        rows = payload(table, self._missing())
        self._allow(table, ["INSERT", "SELECT", "UPDATE"] if action == "merge" else ["INSERT"])
        if self.role == "anon" and table.row_security and rows:
            raise row_security(table.name, self.role)
        if self.faults.take("write_lost"):
            return self._written(table, rows, 201, "*")
        target = tuple(filter(None, request.args.get("on_conflict", "").split(",")))
        written, new = table.insert([table.read(row) for row in rows], action, target)
        status = 200 if action == "merge" and not new else 201
        return self._written(table, written, status, "*")

    def _update(self, table: Table) -> ResponseReturnValue:
        changes = next(iter(payload(table, self._missing())), {})
        rows = matching(self._visible(table, ["UPDATE", "SELECT"]), conditions(table, request.args.items(multi=True)))
        table.update(rows, table.read(changes))
        span = f"0-{len(rows) - 1}" if rows else "*"
        return self._written(table, rows, 204, span)

    def _delete(self, table: Table) -> ResponseReturnValue:
        rows = matching(self._visible(table, ["DELETE", "SELECT"]), conditions(table, request.args.items(multi=True)))
        table.delete(rows)
        return self._written(table, rows, 204, "*")

    def _visible(self, table: Table, privileges: list[str]) -> list[Row]:
        if self.role == "anon" and (isolation := self.faults.take("isolation")):
            return table.rows() if isolation.value == "rows" else []
        self._allow(table, privileges)
        # Row level security without policies: only the secret key's role passes by.
        return [] if table.row_security and self.role != "service_role" else table.rows()

    def _allow(self, table: Table, privileges: list[str]) -> None:
        granted = set(table.grants.get(self.role, ()))
        if self.faults.take("no_grant"):
            granted = set()
        elif self.faults.take("read_only_key"):
            granted &= {"SELECT"}
        if lacking := [one for one in privileges if one not in granted]:
            raise no_privilege(table.name, self.role, lacking)

    def _missing(self) -> Any:
        return DEFAULT if self.prefer.get("missing") == "default" else None

    def _written(self, table: Table, rows: list[Row], status: int, span: str) -> ResponseReturnValue:
        counted = f"{span}/{len(rows) if self.prefer.get('count') else '*'}"
        if self.prefer.get("return") != "representation":
            return self._respond(None, status, counted)
        pick = chosen(table, request.args.get("select"))
        return self._respond([pick(table.show(row)) for row in rows], 200 if status == 204 else status, counted)

    def _respond(self, body: Any, status: int, content_range: str, kind: str = _JSON) -> Response:
        raw = "" if body is None else json.dumps(body, ensure_ascii=False)
        response = Response(raw, status, content_type=f"{kind}; charset=utf-8")
        response.headers["Content-Range"] = content_range
        if applied := ", ".join(f"{name}={value}" for name, value in self.prefer.items()):
            response.headers["Preference-Applied"] = applied
        return response


def _definition(table: Table) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [name for name, column in table.columns.items() if column.not_null or name in table.keys[0]],
        "properties": {name: {"format": column.type.name} for name, column in table.columns.items()},
    }
