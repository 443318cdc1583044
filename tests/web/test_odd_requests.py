"""Hostile and broken requests: every one gets a clear 4xx, none a 500."""

from __future__ import annotations

import io
import uuid
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.formparser import FormDataParser
from werkzeug.test import EnvironBuilder

from synkro import MOST_BYTES
from synkro.models import Tenant
from synkro.web.limits import limiter
from synkro.web.security import MOST_FIELDS, TYPED
from tests.support.having import assert_has
from tests.support.rows import make_report, make_run
from tests.support.web_client import Browser, Enter

ODD = (
    "\x00",
    "a\x00b",
    "%00",
    "%FF%FE",
    "%C3%28",
    "%ED%A0%80",  # half of a pair, which UTF-8 does not know
    "%F4%90%80%80",
    "..%2f..%2fetc%2fpasswd",
    "%0d%0aSet-Cookie:%20a=b",
    "\u202e\ufeff\u0000",
    "9" * 400,
    "-1",
    "1e999",
    "NaN",
    "{{7*7}}",
    "<svg onload=alert(1)>",
    "' or 1=1 --",
    "[]=",
    "😀" * 50,
    "x" * 7_000,
)


def everywhere(app: Flask, tenant: Tenant) -> list[str]:
    """A path of every GET route, with ids that exist and with ids that are none."""
    ids = {"report_id": make_report(tenant), "run_id": make_run(tenant), "kind": "amocrm", "which": "prompt"}
    found = []
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if "GET" in (rule.methods or ()):
                known = {name: ids.get(name, uuid.uuid4()) for name in rule.arguments}
                found.append(app.url_for(rule.endpoint, **known))
    return sorted(set(found))


def served(app: Flask, browser: Browser, **environ: Any) -> int:
    """As a server hands it over: bytes in the environ that no client library would send."""
    builder = EnvironBuilder(path="/", method=environ.pop("method", "GET"))
    raw = {**builder.get_environ(), **browser.environ_base, **environ}
    cookie = browser.get_cookie("session")
    if cookie is not None and "HTTP_COOKIE" not in environ:
        raw["HTTP_COOKIE"] = f"session={cookie.value}"
    told: list[str] = []

    def start(status: str, _headers: list[tuple[str, str]], _error: object = None) -> Any:
        told.append(status)

    with app.app_context():
        body = app.wsgi_app(raw, start)
        for _ in body:
            pass
        if close := getattr(body, "close", None):
            close()
    return int(told[0].split()[0])


@pytest.fixture(autouse=True)
def _every_request_is_answered(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 429 would hide what the page itself says; what breaks becomes a 500 instead of a trace."""
    monkeypatch.setattr(limiter, "enabled", False)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)


@pytest.mark.parametrize("who", ["nobody", "user", "admin"])
def test_odd_queries_break_no_page(app: Flask, enter: Enter, tenant: Tenant, who: str) -> None:
    browser = enter(who)
    names = ("page", "next", "q", "lang", "from", "to", "state", "tenant", "act", "what", "role", "x")
    for path in everywhere(app, tenant):
        for odd in ODD:
            query = "&".join(f"{name}={odd}" for name in names)
            status = served(app, browser, PATH_INFO=path, QUERY_STRING=query.encode().decode("latin-1"))
            assert status < 500 or path in ("/ready", "/health"), (path, odd)


@pytest.mark.parametrize("who", ["nobody", "user", "admin"])
def test_odd_paths_are_not_found(app: Flask, enter: Enter, who: str) -> None:
    browser = enter(who)
    for start in ("/", "/reports/", "/runs/", "/admin/", "/static/", "/login/", "/static/css/"):
        for odd in ODD:
            # a server decodes the path once and hands it over as bytes
            for raw in (odd.encode().decode("latin-1"), "\xff\xfe\x80", "\xc3("):
                assert 300 <= served(app, browser, PATH_INFO=start + raw) < 500, (start, odd)


@pytest.mark.parametrize(
    "header",
    [
        "ACCEPT",
        "ACCEPT_LANGUAGE",
        "AUTHORIZATION",
        "COOKIE",
        "HOST",
        "IF_MODIFIED_SINCE",
        "IF_NONE_MATCH",
        "ORIGIN",
        "RANGE",
        "REFERER",
        "SEC_FETCH_SITE",
        "USER_AGENT",
        "X_CSRFTOKEN",
        "X_FORWARDED_FOR",
        "X_FORWARDED_HOST",
        "X_REQUEST_ID",
        "HX_REQUEST",
        "HX_CURRENT_URL",
    ],
)
def test_odd_headers_break_nothing(app: Flask, enter: Enter, header: str) -> None:
    user, nobody = enter("user"), enter("nobody")
    broken = ["http://[", "//[::", "http://a:b/", "session=\xff\xfe", "bytes=0-x,-,9999999999999999-", 'W/"\x00"']
    for odd in (*ODD, *broken):
        value = odd.encode("utf-8", "surrogateescape").decode("latin-1")
        for browser, path in ((user, "/dashboard"), (nobody, "/login"), (nobody, "/static/favicon.svg")):
            assert served(app, browser, PATH_INFO=path, **{f"HTTP_{header}": value}) < 500, (path, odd)
        for browser, path in ((user, "/logout"), (nobody, "/login")):
            assert served(app, browser, method="POST", PATH_INFO=path, **{f"HTTP_{header}": value}) < 500, (path, odd)


KINDS = (
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-7",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/json",
    "text/plain",
    "",
    "\xff/\x00;;=",
)


@given(data=st.binary(max_size=400), kind=st.sampled_from(KINDS))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_body_of_any_kind_is_no_trouble(app: Flask, client: Browser, data: bytes, kind: str) -> None:
    body = io.BytesIO(data)
    more = {"wsgi.input": body, "CONTENT_LENGTH": str(len(data)), "CONTENT_TYPE": kind}
    assert 400 <= served(app, client, method="POST", PATH_INFO="/login", **more) < 500


@pytest.mark.parametrize("length", ["-1", "x", "", "99999999999999999999", "1e3", "\xff"])
def test_wrong_length_is_no_trouble(app: Flask, client: Browser, length: str) -> None:
    more = {"wsgi.input": io.BytesIO(b"email=a"), "CONTENT_LENGTH": length}
    kind = "application/x-www-form-urlencoded"
    assert 400 <= served(app, client, method="POST", PATH_INFO="/login", CONTENT_TYPE=kind, **more) < 500


# ---- size


@pytest.mark.parametrize("path", ["/login", "/logout", "/dashboard/run", "/preferences/theme"])
def test_ten_megabytes_are_too_much(enter: Enter, path: str) -> None:
    user = enter("user")
    page = user.post(path, data={"text": "x" * 10_000_000})
    program = user.post(path, data={"text": "x" * 10_000_000}, headers={"Accept": "application/json"})
    assert_has(page, status_code=413, mimetype="text/html")
    assert "Too much was sent at once" in page.text
    assert program.status_code == 413
    assert set(program.get_json()) == {"error", "code"}


def test_a_long_prompt_is_not_too_much(enter: Enter) -> None:
    user = enter("user")
    field = "x" * (MOST_BYTES - 1_000)
    assert user.post("/dashboard/run", data={"csrf_token": user.token(), "text": field}).status_code == 422


def test_body_without_a_length_is_not_read_to_its_end(app: Flask, client: Browser) -> None:
    """Chunked: the server hands over a stream whose end is not known before."""
    body = io.BytesIO(b"email=" + b"x" * 3 * MOST_BYTES)
    more = {"wsgi.input": body, "wsgi.input_terminated": True}
    kind = "application/x-www-form-urlencoded"
    assert 400 <= served(app, client, method="POST", PATH_INFO="/login", CONTENT_TYPE=kind, **more) < 500
    assert body.tell() <= MOST_BYTES


def parts(count: int) -> bytes:
    one = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    return one * count + b"--x--\r\n"


@pytest.mark.parametrize(("count", "status"), [(MOST_FIELDS, 400), (MOST_FIELDS + 1, 413), (15_000, 413)])
def test_parts_of_a_form_are_bounded(app: Flask, client: Browser, count: int, status: int) -> None:
    """Below the bound it is only the token that is missing."""
    body = parts(count)
    more = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    kind = "multipart/form-data; boundary=x"
    assert served(app, client, method="POST", PATH_INFO="/login", CONTENT_TYPE=kind, **more) == status


@pytest.mark.parametrize(("count", "status"), [(MOST_FIELDS - 1, 422), (MOST_FIELDS, 413), (10_000, 413)])
def test_fields_of_a_form_are_bounded(enter: Enter, count: int, status: int) -> None:
    """Beside the token."""
    user = enter("user")
    many = {f"f{n}": "x" for n in range(count)}
    assert user.post("/dashboard/run", data={"csrf_token": user.token(), **many}).status_code == status


def test_countless_fields_are_not_taken_apart(enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    taken_apart: list[object] = []
    monkeypatch.setattr(FormDataParser, "parse", lambda *given: taken_apart.append(given))
    assert enter("nobody").post("/login", data="&" * 900_000, content_type=TYPED).status_code == 413
    assert taken_apart == []


# ---- kind


@pytest.mark.parametrize("path", ["/login", "/dashboard/run", "/preferences/theme"])
@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/xml", "image/svg+xml"])
def test_what_is_no_form_is_refused(enter: Enter, path: str, kind: str) -> None:
    browser = enter("user" if path == "/dashboard/run" else "nobody")
    answer = browser.post(path, data=b"{}", content_type=kind, headers={"X-CSRFToken": browser.token()})
    assert answer.status_code == 415
    assert ("code" in answer.get_json()) if kind == "application/json" else ("<html" in answer.text)


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "DELETE", "BREW", "get", "PROPFIND"])
def test_odd_methods_are_refused(enter: Enter, method: str) -> None:
    user = enter("user")
    for path in ("/login", "/dashboard", "/logout", "/static/favicon.svg"):
        answer = user.open(path, method=method)
        answer.close()
        assert answer.status_code == 405 or (method == "get" and answer.status_code < 400)


def test_options_tells_the_methods_and_nothing_else(enter: Enter) -> None:
    nobody = enter("nobody")
    answer = nobody.options("/login", headers={"Origin": "https://evil.example"})
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    assert answer.data == b""
    assert nobody.options("/dashboard").status_code == 302
