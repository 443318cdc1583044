"""Whatever is sent to whichever door by whomever: a plain refusal, nothing executed, no row of others changed."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from synkro.integrations import INTEGRATIONS
from synkro.models import Tenant, User
from synkro.tenancy import Base, TenantRow, db, system_scope
from synkro.web.limits import limiter
from tests.conftest import ROOT
from tests.support.rows import make_analysis, make_host, make_report, make_run, make_session
from tests.support.sweep import Ids, code_in, forms_of, path_of, readable, writable
from tests.support.web_client import Browser, Enter

PEOPLE = ("nobody", "user", "settings", "lite", "admin")
"""Staff last: what they do may shut the others out."""
WIDEST = ("nobody", "settings", "admin")
"""Whatever is open to somebody is open to one of them."""
PAYLOADS = {
    "script": "<script>alert(31337)</script>",
    "attribute": "\" autofocus onfocus=alert(31337) x='",
    "svg": "<svg/onload=alert(31337)>",
    "image": "<img src=x onerror=alert(31337)>@example.com",
    "address": "javascript:alert(31337)",
    "data address": "data:text/html,<script>alert(31337)</script>",
    "new line": "a@example.com\r\nX-Evil: 31337\r\n\r\n<h1>31337</h1>",
    "terminal": "\x1b[2J\x1b]0;31337\x07",
    "bidi": "\u202egpj.31337\u202c\u2066\u200f\ufeff",
    "zero": "a\x00b@example.com",
    "template": "{{ 31337 * 2 }}${31337}%(31337)s{31337}",
    "sql": "31337' or '1'='1'; drop table users; --",
    "path": "../../../../etc/passwd",
    "other host": "//evil.example/31337",
    "number": "9" * 400,
    "long": "\u0416" * 5_000,
    "half a letter": "\ud83d31337",
}
RAW = [PAYLOADS[name] for name in ("script", "svg", "image")]
GREED = {
    "role": "super_admin",
    "is_active": "0",
    "is_staff": "1",
    "can_manage_settings": "1",
    "tenant_id": "{beta}",
    "user_id": "{beta}",
    "id": "{beta}",
}


@pytest.fixture(autouse=True)
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep asks more often than a person."""
    monkeypatch.setattr(limiter, "enabled", False)


def ids_of(tenant: Tenant, person: User) -> Ids:
    return {
        "report_id": make_report(tenant),
        "run_id": make_run(tenant),
        "user_id": person.id,
        "person_id": person.id,
        "tenant_id": tenant.id,
        "company_id": tenant.id,
        "session_id": make_session(person),
        "host_id": make_host(tenant),
        "trial_id": make_analysis(tenant),
    }


@pytest.fixture
def ids(tenant: Tenant, cast: dict[str, User]) -> Ids:
    """Of the company whose people send what is sent; a member of its is who staff act upon."""
    return ids_of(tenant, cast["user"])


@pytest.fixture
def foreign(other_tenant: Tenant, cast: dict[str, User]) -> Ids:
    return ids_of(other_tenant, cast["other"])


@cache
def names() -> frozenset[str]:
    """Of every field that any form, template or view of the program knows."""
    found = {field.name for kind in INTEGRATIONS.values() for field in kind.fields} | set(GREED)
    for path in (ROOT / "synkro").rglob("*"):
        found |= _named_in(path)
    return frozenset(found - {"csrf_token"})


_forms: dict[str, dict[str, set[str]]] = {}


def fields_of(app: Flask, enter: Enter, ids: Ids, name: str) -> dict[str, set[str]]:
    """Path -> fields, of every form that the person finds on the pages. Walked once for all tests."""
    if name not in _forms:
        found = forms_of(app, enter(name), ids)
        _forms[name] = {_named(path, ids): fields for path, fields in found.items()}
    return {path.format(**{key: str(value) for key, value in ids.items()}): f for path, f in _forms[name].items()}


def _named(path: str, ids: Ids) -> str:
    for name, value in ids.items():
        path = path.replace(str(value), f"{{{name}}}")
    return path.partition("?")[0]


def _named_in(path: Path) -> set[str]:
    if path.suffix == ".html":
        return set(re.findall(r'name="([a-z_]+)"', path.read_text(encoding="utf-8")))
    if path.suffix == ".py":
        source = path.read_text(encoding="utf-8")
        return set(re.findall(r"""(?:form|args)(?:\.get(?:list)?\(|\[)["'](\w+)["']""", source)) | set(
            re.findall(r"^    (\w+) = \w*Field\(", source, re.MULTILINE)
        )
    return set()


def is_carried_out(page: str) -> bool:
    return any(raw in page for raw in RAW) or any("31337" in code for code in code_in(page))


def is_a_bad_page(answer: TestResponse) -> bool:
    page = answer.get_data().decode("utf-8", "replace")
    answer.close()
    return answer.status_code >= 500 or is_carried_out(page)


def what_is_wrong(answer: TestResponse) -> str:
    """What is wrong with an answer to something hostile; "" for nothing."""
    page = answer.get_data().decode("utf-8", "replace")
    if not 300 <= answer.status_code < 500:
        return f"answers {answer.status_code}"
    if is_carried_out(page):
        return "gives it back as code"
    if "X-Evil" in answer.headers or "evil.example" in answer.headers.get("Location", "").partition("?")[0]:
        return "carries it in a header"
    return ""


def send(browser: Browser, method: str, path: str, fields: dict[str, str]) -> TestResponse:
    """With a token; a door that ends the session or its token is left with a new one."""
    sent = {key: _sendable(value) for key, value in fields.items()}
    tokens = browser.environ_base
    for _ in range(2):
        token = tokens.get("test.token") or tokens.setdefault("test.token", browser.token())
        answer = browser.open(path, method=method, data={**sent, "csrf_token": token}, buffered=True)
        answer.close()
        if answer.status_code != 400:
            break
        tokens["test.token"] = browser.token()
    return answer


def _sendable(value: str) -> str | bytes:
    return value.encode("utf-8", "surrogatepass") if "\ud83d" in value else value


def rights() -> dict[str, tuple[object, ...]]:
    """Of every person: what no form of theirs may change."""
    rows = db.session.execute(text("select email, role, tenant_id, can_manage_settings, is_active from users"))
    return {row[0]: tuple(row[1:]) for row in rows}


def rows_of(tenant: Tenant) -> dict[str, list[str]]:
    """Every row of the company, as text."""
    with system_scope("test: look at all rows"):
        return {
            table: sorted(
                db.session.execute(text(f"select x::text from {table} x where tenant_id = :id"), {"id": tenant.id})
                .scalars()
                .all()
            )
            for table in sorted(
                one.local_table.name for one in Base.registry.mappers if issubclass(one.class_, TenantRow)
            )
        }


Doors = list[tuple[str, Rule]]


def opens(app: Flask, rule: Rule, person: User | None) -> bool:
    gate = app.view_functions[rule.endpoint].access  # type: ignore[attr-defined]
    return bool(gate.public or (person and gate.allows(person)))


def wrong_answers(app: Flask, enter: Enter, ids: Ids, name: str, value: str, doors: Doors) -> list[str]:
    """Each door with this in each of its fields; where none is known, in every name."""
    known, browser, found = fields_of(app, enter, ids, name), enter(name), []
    for method, rule in doors:
        path = path_of(app, rule, ids)
        answer = send(browser, method, path, dict.fromkeys(known.get(path) or names(), value))
        if wrong := what_is_wrong(answer):
            found.append(f"{name}: {method} {path} {wrong}")
    return found


@pytest.mark.parametrize("payload", sorted(PAYLOADS))
def test_a_hostile_text_is_refused_or_kept_as_a_text(
    app: Flask, enter: Enter, ids: Ids, foreign: Ids, other_tenant: Tenant, cast: dict[str, User], payload: str
) -> None:
    """By those to whom the door is open: a closed one looks at no field, and has its test below."""
    before, wrong = rows_of(other_tenant), []
    own = {name: [one for one in writable(app) if opens(app, one[1], cast.get(name))] for name in WIDEST}
    for name in WIDEST:
        wrong += wrong_answers(app, enter, ids, name, PAYLOADS[payload], own[name])
    assert not wrong
    assert not executed_anywhere(app, enter, ids, cast)
    assert rows_of(other_tenant) == before


@pytest.mark.parametrize("name", PEOPLE)
def test_a_hostile_text_is_turned_away_at_a_closed_door(
    app: Flask, enter: Enter, ids: Ids, foreign: Ids, other_tenant: Tenant, cast: dict[str, User], name: str
) -> None:
    before = rows_of(other_tenant)
    closed = [one for one in writable(app) if not opens(app, one[1], cast.get(name))]
    assert not wrong_answers(app, enter, ids, name, PAYLOADS["script"], closed)
    assert rows_of(other_tenant) == before


def test_whoever_may_open_a_door_is_swept(app: Flask, cast: dict[str, User]) -> None:
    for _, rule in writable(app):
        open_to = {name for name in PEOPLE if opens(app, rule, cast.get(name))}
        assert not open_to or open_to & set(WIDEST), rule.rule


def executed_anywhere(app: Flask, enter: Enter, ids: Ids, cast: dict[str, User]) -> list[str]:
    """On any page of those who see most, after whatever of it was kept."""
    found = []
    for name in WIDEST[1:]:
        browser = enter(name)
        found += [
            f"{name} {rule.rule}"
            for rule in readable(app)
            if opens(app, rule, cast[name]) and is_a_bad_page(browser.get(path_of(app, rule, ids), buffered=True))
        ]
    return found


@pytest.mark.parametrize("name", ["nobody", "user", "settings", "lite"])
def test_fields_that_a_form_does_not_have_give_no_rights(
    app: Flask, enter: Enter, ids: Ids, cast: dict[str, User], other_tenant: Tenant, name: str
) -> None:
    browser = enter(name)
    greed = {key: value.format(beta=other_tenant.id) for key, value in GREED.items()}
    likely = {"theme": "dark", "language": "en", "text": "Hello", "span": "yesterday", "name": "Name", "next": "/"}
    before = rights()
    known = fields_of(app, enter, ids, name)
    for method, rule in writable(app):
        path = path_of(app, rule, ids)
        own = {key: likely.get(key, "1") for key in known.get(path, set())}
        for fields in (own | greed, likely | greed, greed):
            assert send(browser, method, path, fields).status_code < 500, path
    gained = {person: now for person, now in rights().items() if _rank(now) > _rank(before.get(person, now))}
    moved = {person for person, now in rights().items() if person in before and now[1] != before[person][1]}
    assert gained == {}
    assert moved == set()
    if name != "lite":
        assert rights() == before


def _rank(right: tuple[object, ...]) -> int:
    return ["user", "admin_lite", "super_admin"].index(str(right[0]))


@pytest.mark.parametrize("name", ["user", "settings"])
def test_ids_of_another_company_change_nothing_there(
    app: Flask, enter: Enter, foreign: Ids, other_tenant: Tenant, name: str
) -> None:
    browser = enter(name)
    before, people = rows_of(other_tenant), rights()
    wrong = []
    for method, rule in writable(app):
        if rule.arguments:
            path = path_of(app, rule, foreign)
            answer = send(browser, method, path, {"text": "Hello", "name": "Hello", "span": "yesterday"})
            if not 300 <= answer.status_code < 500:
                wrong.append(f"{path} answers {answer.status_code}")
    assert not wrong
    assert rows_of(other_tenant) == before
    assert rights() == people


BODIES = {
    "ten megabytes": (b"text=" + b"x" * 10_000_000, "application/x-www-form-urlencoded"),
    "ten megabytes of parts": (
        b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + b"x" * 10_000_000 + b"\r\n--b--\r\n",
        "multipart/form-data; boundary=b",
    ),
    "fields without number": (b"&".join(b"f%d=1" % n for n in range(5_000)), "application/x-www-form-urlencoded"),
    "deep JSON": (b"[" * 200_000, "application/json"),
    "JSON in place of a form": (json.dumps(GREED).encode(), "application/json"),
    "JSON of other kinds": (
        b'{"email": 1, "password": ["a"], "text": {"a": 1}, "span": 5, "name": null, "next": 7}',
        "application/json",
    ),
    "JSON without names": (b"[1, 2, 3]", "application/json"),
    "no JSON at all": (b"\xff\xfe\x00{", "application/json"),
    "XML": (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "application/xml"),
    "broken parts": (b"--b\r\nContent-Disposition: form-data", "multipart/form-data; boundary=b"),
    "no kind": (b"\x00\xff" * 100, ""),
    "unknown letters": (b"text=%ff%fe%00&%ff=1", "application/x-www-form-urlencoded; charset=utf-7"),
}


@pytest.mark.parametrize("body", sorted(BODIES))
def test_a_body_that_is_no_form_is_refused(app: Flask, enter: Enter, ids: Ids, tenant: Tenant, body: str) -> None:
    sent, kind = BODIES[body]
    before = rows_of(tenant)
    wrong = []
    for name in ("nobody", "settings", "admin"):
        browser = enter(name)
        headers = {"X-CSRFToken": browser.token()}
        for method, rule in writable(app):
            path = path_of(app, rule, ids)
            answer = browser.open(path, method=method, data=sent, content_type=kind, headers=headers)
            answer.close()
            if not 300 <= answer.status_code < 500:
                wrong.append(f"{name} {path} answers {answer.status_code}")
    assert not wrong
    assert set(rows_of(tenant)["report_comments"]) == set(before["report_comments"])


@pytest.mark.parametrize("name", ["nobody", "settings", "admin"])
def test_a_hostile_address_is_answered_calmly(app: Flask, enter: Enter, ids: Ids, name: str) -> None:
    """In the query every name has a payload, another one at every turn; in place of every id stands a number."""
    browser, wrong = enter(name), []
    values = [_sendable(value[:500]) for value in PAYLOADS.values()]
    queries = [
        {key: values[(n + turn) % len(values)] for n, key in enumerate(sorted(names()))} for turn in range(0, 17, 3)
    ]
    for rule in readable(app):
        path = path_of(app, rule, ids)
        wrong += [
            f"{rule.rule} with {list(query.values())[:3]} ..."
            for query in queries
            if is_a_bad_page(browser.get(path, query_string=query, buffered=True))
        ]
        if is_a_bad_page(browser.get(re.sub(r"[0-9a-f-]{36}", "9" * 40, path), buffered=True)):
            wrong.append(f"{rule.rule} with a number for an id")
    assert not wrong


def test_the_sweep_meets_the_forms_of_the_pages(app: Flask, enter: Enter, ids: Ids) -> None:
    """Otherwise every answer above is that of an empty form."""
    report = f"/reports/{ids['report_id']}/comments"
    assert "text" in fields_of(app, enter, ids, "user")[report]
    assert {"email", "password", "text", "span", "next", "api_key"} <= names()


def test_a_text_that_runs_would_be_seen() -> None:
    assert code_in('<a href=" JavaScript:alert(31337)">')
    assert code_in("<svg/onload=alert(31337)>")
    assert code_in("<script>alert(31337)</script>")
    assert not code_in('<p title="&lt;svg onload=alert(31337)&gt;">')
