"""A stand-in of one hosted Supabase project: gateway, two calls of its auth service and PostgREST 14.

Tables come from SQL: `POST /__control {"fault": "run_sql", "value": SQL}` runs a block at once (400 when it cannot).
Faults: 402, 540, 544 (edge), legacy_disabled, 57014, 40P01, 25006, PGRST002, PGRST003 (database),
stale_cache (value: a column, else the whole table is unknown), no_grant, read_only_key, write_lost (confirmed and not
kept), isolation (value "rows": the publishable key sees everything; "empty": it may ask and sees nothing).
`GET /__rows/<table>` shows what is stored.
"""

from __future__ import annotations

import threading

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue

from synkro.sandbox.faults import Faults
from synkro.sandbox.keys import Keys
from synkro.sandbox.supabase.errors import FAULTS, PgError
from synkro.sandbox.supabase.gateway import (
    AUTH_HEALTH,
    AUTH_SETTINGS,
    LONGEST_HEAD,
    Stopped,
    check_key,
    check_root,
    role_for,
)
from synkro.sandbox.supabase.rest import Rest
from synkro.sandbox.supabase.sql import Tables, run_sql

_EDGE = {
    "402": (402, '{"message":"exceed_db_size_quota"}', "application/json"),
    "540": (540, '{"message":"Project paused"}', "application/json"),
    "544": (544, "<html><body>Gateway time limit</body></html>", "text/html"),
}
_ENDLESS = "<html><head><title>520: Web server is returning an unknown error</title></head></html>"


def create_app(keys: Keys) -> Flask:
    """The project with this ref and these keys, without tables."""
    app = Flask(__name__)
    faults = Faults(app)
    _Project(app, faults, keys)
    return app


class _Project:
    def __init__(self, app: Flask, faults: Faults, keys: Keys) -> None:
        self.faults = faults
        self.keys = keys
        self.tables: Tables = {}
        self.lock = threading.RLock()
        app.before_request(self.edge)
        app.after_request(self.sql_editor)
        app.register_error_handler(Stopped, self.stopped)
        app.register_error_handler(PgError, self.refused)
        app.add_url_rule("/__rows/<table>", view_func=self.rows)
        app.add_url_rule("/auth/v1/health", view_func=lambda: jsonify(AUTH_HEALTH), endpoint="health")
        app.add_url_rule("/auth/v1/settings", view_func=lambda: jsonify(AUTH_SETTINGS), endpoint="settings")
        app.add_url_rule("/rest/v1/", view_func=self.root)
        app.add_url_rule("/rest/v1/<table>", view_func=self.rest, methods=["GET", "POST", "PATCH", "DELETE"])

    def edge(self) -> ResponseReturnValue | None:
        if request.path.startswith("/__"):
            return None
        for name, (status, body, kind) in _EDGE.items():
            if self.faults.take(name):
                return Response(body, status, content_type=kind)
        if _head_length() > LONGEST_HEAD:
            return Response(_ENDLESS, 520, content_type="text/html")
        check_key(self.key, request.headers.get("User-Agent", ""), self.keys)
        if not self.key.startswith("sb_") and self.faults.take("legacy_disabled"):
            raise Stopped("Legacy API keys are disabled", "Use the publishable and secret API keys.")
        return None

    @property
    def key(self) -> str:
        return request.headers.get("apikey", request.args.get("apikey", ""))

    def role(self) -> str:
        return role_for(self.key, request.headers.get("Authorization", ""), self.keys)

    def root(self) -> ResponseReturnValue:
        check_root(self.key, self.keys)
        role = self.role()
        with self.lock:
            return Rest(self.tables, role, self.faults).describe()

    def rest(self, table: str) -> ResponseReturnValue:
        role = self.role()
        for code, failure in FAULTS.items():
            if self.faults.take(code):
                raise failure()
        with self.lock:
            return Rest(self.tables, role, self.faults).answer(table)

    def rows(self, table: str) -> ResponseReturnValue:
        with self.lock:
            found = self.tables.get(table)
            return jsonify([found.show(row) for row in found.rows()] if found else [])

    def sql_editor(self, response: Response) -> Response:
        try:
            while order := self.faults.take("run_sql"):
                with self.lock:
                    run_sql(self.tables, order.value)
        except PgError as problem:
            return Response(str(problem), 400, content_type="text/plain")
        return response

    @staticmethod
    def stopped(problem: Stopped) -> ResponseReturnValue:
        return jsonify(problem.body), 401

    @staticmethod
    def refused(problem: PgError) -> ResponseReturnValue:
        headers = {"Proxy-Status": f"PostgREST; error={problem.code}", **problem.headers}
        if problem.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return jsonify(problem.body), problem.status, headers


def _head_length() -> int:
    url = len(request.path) + len(request.query_string)
    return url + sum(len(name) + len(value) for name, value in request.headers)
