"""What every answer tells the browser, whatever became of the request."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from flask import Flask
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from config import load
from synkro import create_app
from synkro.extensions import settings
from synkro.models import User
from synkro.services.operations import health
from synkro.tenancy import db
from tests.conftest import PASSWORD, ROOT
from tests.support.having import assert_has
from tests.support.web_client import Browser, Enter

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
YEAR = "max-age=31536000; includeSubDomains"


def broken(monkeypatch: pytest.MonkeyPatch, app: Flask, error: Exception) -> None:
    """The front page runs into this error."""

    def view() -> None:
        raise error

    view.access = app.view_functions["public.index"].access  # type: ignore[attr-defined]
    monkeypatch.setitem(app.view_functions, "public.index", view)


def used_up(browser: Browser) -> TestResponse:
    for _ in range(100):
        browser.get("/nothing")
    return browser.get("/nothing")


ANSWERS: dict[str, tuple[int, Callable[[Browser], TestResponse]]] = {
    "page": (200, lambda b: b.get("/login")),
    "json": (200, lambda b: b.get("/ready", headers={"Accept": "application/json"})),
    "file": (200, lambda b: b.get("/static/css/layout.css")),
    "script": (200, lambda b: b.get("/static/js/app.js")),
    "picture": (200, lambda b: b.get("/static/favicon.svg")),
    "unchanged file": (304, lambda b: b.get("/static/favicon.svg", headers={"If-None-Match": etag(b)})),
    "head": (200, lambda b: b.head("/")),
    "options": (200, lambda b: b.options("/login")),
    "redirect": (302, lambda b: b.get("/dashboard")),
    "slash": (404, lambda b: b.get("/login/")),
    "double slash": (308, lambda b: b.get("//login")),
    "no token": (400, lambda b: b.post("/logout")),
    "signed out": (401, lambda b: b.get("/dashboard", headers={"HX-Request": "true"})),
    "other site": (403, lambda b: b.post("/logout", headers={"Sec-Fetch-Site": "cross-site"})),
    "missing": (404, lambda b: b.get("/nothing")),
    "missing file": (404, lambda b: b.get("/static/nothing.css")),
    "method": (405, lambda b: b.get("/logout")),
    "odd method": (405, lambda b: b.open("/login", method="BREW")),
    "trace": (405, lambda b: b.open("/login", method="TRACE")),
    "too large": (413, lambda b: b.post("/login", data={"email": "x" * 10_000_000})),
    "gap": (422, lambda b: b.send("/login", email="")),
    "too often": (429, used_up),
    "signed in": (303, lambda b: b.send("/login", email="user@example.com", password=PASSWORD)),
}


def etag(browser: Browser) -> str:
    with browser.get("/static/favicon.svg") as file:
        return file.headers["ETag"]


def look(answer: TestResponse) -> dict[str, str]:
    answer.close()
    return {name: answer.headers.get(name, "") for name in ALWAYS}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_carries_the_set(client: Browser, cast: dict[str, User], name: str) -> None:
    status, ask = ANSWERS[name]
    answer = ask(client)
    assert answer.status_code == status
    assert look(answer) == ALWAYS


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_says_what_it_is(client: Browser, cast: dict[str, User], name: str) -> None:
    answer = ANSWERS[name][1](client)
    answer.close()
    kind = answer.headers.get("Content-Type", "")
    if answer.status_code != 304:
        assert kind == "application/json" or kind.endswith("; charset=utf-8")


@pytest.mark.parametrize("name", ANSWERS)
def test_no_answer_opens_the_door_to_other_sites(client: Browser, cast: dict[str, User], name: str) -> None:
    """D-14: no sharing between origins, asked for or not."""
    client.environ_base["HTTP_ORIGIN"] = "https://evil.example"
    client.environ_base["HTTP_ACCESS_CONTROL_REQUEST_METHOD"] = "POST"
    answer = ANSWERS[name][1](client)
    answer.close()
    assert [one for one in dict(answer.headers) if one.lower().startswith("access-control")] == []


@pytest.mark.parametrize(
    ("error", "status"),
    [(RuntimeError("Bearer secret-of-ours-123"), 500), (OperationalError("select 1", {}, Exception("away")), 503)],
)
def test_breaking_carries_the_set(
    app: Flask, client: Browser, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    broken(monkeypatch, app, error)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    answer = client.get("/")
    assert answer.status_code == status
    assert look(answer) == ALWAYS
    assert "secret-of-ours" not in answer.text


def test_what_people_see_is_not_stored(client: Browser) -> None:
    for path in ("/login", "/nothing", "/health"):
        assert client.get(path).headers["Cache-Control"] == "no-store"


# ---- production


PRODUCTION = {
    "APP_ENV": "production",
    "APP_SECRET_KEY": "s" * 40,
    "AUDIT_KEY": "a" * 40,
    "FIELD_ENCRYPTION_KEY": "e" * 64,
    "BASE_URL": "https://cabinet.example.kz",
    "PROXY_HOPS": "1",
}


@pytest.fixture
def production(app: Flask, engines: Any, var_dir: Path) -> Iterator[Browser]:
    """The same data as production has it: over HTTPS, behind one proxy."""
    whole = create_app(
        load(
            {
                **PRODUCTION,
                "VAR_DIR": str(var_dir),
                "DATABASE_URL": engines.database_url,
                "REDIS_URL": engines.redis_url,
            }
        )
    )
    browser = Browser(whole, whole.response_class)
    browser.environ_base.update(HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_HOST="cabinet.example.kz")
    browser.environ_base["HTTP_REFERER"] = "https://cabinet.example.kz/login"
    yield browser
    with whole.app_context():
        db.engine.dispose()


def test_https_for_a_year_in_production(production: Browser) -> None:
    for path in ("/login", "/nothing", "/static/favicon.svg", "/dashboard"):
        answer = production.get(path)
        answer.close()
        assert answer.headers["Strict-Transport-Security"] == YEAR, path


def test_https_is_not_promised_on_a_laptop(client: Browser) -> None:
    assert "Strict-Transport-Security" not in client.get("/login").headers


def test_cookie_of_production_belongs_to_this_host_only(production: Browser) -> None:
    page = production.get("/login")
    name, _, rest = page.headers["Set-Cookie"].partition("=")
    marks = {part.strip() for part in rest.split(";")[1:]}
    assert name == "__Host-session"
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= marks
    assert not any(mark.startswith("Domain") for mark in marks)


def test_every_cookie_of_production_is_closed(production: Browser, cast: dict[str, User]) -> None:
    """Neither read by scripts, nor sent over plain HTTP, nor to other hosts, nor by forms of other sites."""
    production.send("/login", email="user@example.com", password=PASSWORD)
    cookies = production._cookies.values()
    assert "__Host-session" in {cookie.key for cookie in cookies}
    for cookie in cookies:
        assert cookie.key.startswith("__Host-")
        assert_has(cookie, secure=True, http_only=True, path="/", same_site="Lax")
        assert cookie.origin_only


def test_signing_out_empties_the_cache_and_keeps_the_language(client: Browser, cast: dict[str, User]) -> None:
    """Not "cookies": the visitor's language and theme stay, the session in the cookie is emptied by ourselves."""
    client.send("/login", email="user@example.com", password=PASSWORD)
    assert client.send("/logout").headers["Clear-Site-Data"] == '"cache"'


# ---- the server itself


@pytest.fixture
def served(app: Flask, var_dir: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[bytes], str]]]:
    """gunicorn with the settings of deploy/."""
    started = []

    def serve(**environment: str) -> tuple[subprocess.Popen[bytes], str]:
        port = free_port()
        command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.py", "-w", "1", "wsgi:app"]
        known = {**os.environ, "APP_ENV": "test", "VAR_DIR": str(var_dir), "PORT": str(port), **environment}
        server = subprocess.Popen(command, cwd=ROOT, env=known, stderr=subprocess.DEVNULL)
        started.append(server)
        return server, f"http://127.0.0.1:{port}"

    yield serve
    for server in started:
        server.terminate()
        server.wait(120)


def test_server_does_not_tell_its_name(served: Callable[..., tuple[subprocess.Popen[bytes], str]]) -> None:
    answer = patiently(served()[1] + "/health")
    assert "Server" not in answer.headers
    assert "gunicorn" not in str(answer.headers).lower()


def test_server_listens_where_it_is_told_to(
    served: Callable[..., tuple[subprocess.Popen[bytes], str]], var_dir: Path
) -> None:
    path = var_dir / "web.sock"
    served(BIND=f"unix:{path}")
    assert first_line(path, "/health") == "HTTP/1.0 200 OK\n"


def configured(**environment: str) -> subprocess.CompletedProcess[str]:
    """What gunicorn makes of the settings, without serving."""
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.py", "--print-config", "wsgi:app"]
    env = {**os.environ, "APP_ENV": "test", **environment}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_server_has_the_processes_and_threads_that_are_set(var_dir: Path) -> None:
    told = configured(VAR_DIR=str(var_dir), WEB_WORKERS="5", WEB_THREADS="7", BIND="0.0.0.0:8123").stdout
    found = dict(re.findall(r"^(bind|workers|threads) += (.+)$", told, re.MULTILINE))
    assert found == {"bind": "['0.0.0.0:8123']", "workers": "5", "threads": "7"}


def test_server_says_what_is_wrong_with_its_settings(var_dir: Path) -> None:
    assert "BIND must be" in configured(VAR_DIR=str(var_dir), BIND="8000").stderr


def test_nothing_is_served_with_a_wrong_key(served: Callable[..., tuple[subprocess.Popen[bytes], str]]) -> None:
    health.verify_key()
    server, _ = served(FIELD_ENCRYPTION_KEY="ab" * 32)
    assert server.wait(120) != 0


def test_nothing_is_served_from_a_database_that_is_none_of_ours(
    served: Callable[..., tuple[subprocess.Popen[bytes], str]], engines: Any
) -> None:
    """It answers, but not as one with our tables does: to come back later would not help."""
    elsewhere = engines.database_url.replace("/synkro?", "/postgres?")
    assert elsewhere != engines.database_url
    assert served(DATABASE_URL=elsewhere)[0].wait(120) != 0


def test_nothing_is_served_where_row_security_does_not_bind(
    served: Callable[..., tuple[subprocess.Popen[bytes], str]], engines: Any
) -> None:
    with psycopg.connect(engines.superuser_url, autocommit=True) as connection:
        connection.execute("alter role synkro_app bypassrls")
        try:
            assert served()[0].wait(120) != 0
        finally:
            connection.execute("alter role synkro_app nobypassrls")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def patiently(url: str) -> requests.Response:
    ends = time.monotonic() + 120
    while True:
        try:
            return requests.get(url, timeout=60)
        except requests.ConnectionError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)


def first_line(path: Path, page: str) -> str:
    """Of the answer at a socket, once somebody listens there."""
    ends = time.monotonic() + 20
    with socket.socket(socket.AF_UNIX) as client:
        while client.connect_ex(str(path)):
            assert time.monotonic() < ends
            time.sleep(0.1)
        client.sendall(f"GET {page} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        return client.makefile().readline()


def test_visitor_learns_nothing_from_the_live_block(enter: Enter) -> None:
    """B-26: what renews itself asks for the same session and the same company as the page."""
    path = f"/runs/{uuid.uuid4()}/steps"
    nobody = enter("nobody")
    assert nobody.get(path, headers={"HX-Request": "true"}).status_code == 401
    assert nobody.get(path, headers={"Accept": "application/json"}).status_code == 401
    assert enter("other").get(path).status_code == 404


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        ("", "https://a.kz", None),
        ("https://a.kz", "https://b.kz", None),
        ("https://a.kz", "https://a.kz", "https://a.kz"),
    ],
)
def test_only_a_listed_site_may_read_and_never_with_cookies(
    app: Flask, origins: str, origin: str, allowed: str | None
) -> None:
    values = {"APP_ENV": "test", "VAR_DIR": str(settings().var_dir), "CORS_ALLOW_ORIGINS": origins}
    other = create_app(load(values))
    answer = other.test_client().get("/health", headers={"Origin": origin})
    with other.app_context():
        db.engine.dispose()
    assert answer.headers.get("Access-Control-Allow-Origin") == allowed
    assert "Access-Control-Allow-Credentials" not in answer.headers
