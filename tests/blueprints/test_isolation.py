"""Nobody reads what is a company's own: every page, everybody else, with the gate and with the gate taken away."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import product

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from synkro import embedded, tenancy
from synkro.models import Tenant, User
from synkro.tenancy import db, tenant_scope
from synkro.web import access
from synkro.web.access import Rule
from synkro.web.limits import limiter
from tests.support.planting import OWN, SHARED, plant, tenant_tables
from tests.support.sweep import Ids, path_of, paths_of, readable
from tests.support.web_client import Browser, Enter

OTHERS = ("other", "lite", "admin", "nobody")
FORMATS = ("text/html", "application/json", "text/csv")


@pytest.fixture(autouse=True)
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep asks more often than a person."""
    monkeypatch.setattr(limiter, "enabled", False)


@pytest.fixture
def ids(tenant: Tenant, cast: dict[str, User], engines: embedded.Engines) -> Ids:
    cast["other"].can_manage_settings = True  # so that more doors are open
    db.session.commit()
    return plant(tenant, cast["settings"], engines.superuser_url)


@pytest.fixture
def no_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody signed in may open everything, as if each view had forgotten to say who."""
    monkeypatch.setattr(Rule, "allows", lambda _rule, _user: True)
    monkeypatch.setattr(access, "is_fresh", lambda _what: True)


@pytest.fixture
def no_filter() -> Iterator[None]:
    """The program's queries name no company any more: only PostgreSQL holds companies apart."""
    wall = (Session, "do_orm_execute", tenancy._ask_for_own_rows)
    event.remove(*wall)
    yield
    event.listen(*wall)


@pytest.fixture
def no_row_security(app: Flask, engines: embedded.Engines) -> Iterator[None]:
    """PostgreSQL shows every row: only the program's own filter holds companies apart."""
    _row_security(engines, "disable")
    yield
    db.session.remove()
    _row_security(engines, "enable")


def _row_security(engines: embedded.Engines, word: str) -> None:
    with psycopg.connect(engines.superuser_url, dbname="synkro", autocommit=True) as connection:
        for table in tenant_tables():
            if table.name != "users":
                connection.execute(f"alter table {table.name} {word} row level security")  # type: ignore[arg-type]


def answers(app: Flask, browser: Browser, ids: Ids) -> list[tuple[str, int, str]]:
    """(path and format, status, everything that came back) of every page."""
    found = []
    for path, kind in product((path for rule in readable(app) for path in paths_of(app, rule, ids)), FORMATS):
        answer = browser.get(path, headers={"Accept": kind}, buffered=True)
        whole = f"{answer.headers}\n{answer.get_data().decode('utf-8', 'replace')}"
        answer.close()
        found.append((f"{path} as {kind}", answer.status_code, whole))
    return found


def leaks(got: list[tuple[str, int, str]], *words: str) -> list[str]:
    return [f"{path}: {word}" for path, _, whole in got for word in words if word in whole]


def failures(got: list[tuple[str, int, str]]) -> list[str]:
    return [path for path, status, _ in got if status >= 500]


def test_the_words_lie_in_every_table_of_the_company(ids: Ids, tenant: Tenant, engines: embedded.Engines) -> None:
    """A new table has to be planted, too, or the sweeps below say nothing about it."""
    with psycopg.connect(engines.superuser_url, dbname="synkro") as connection:
        bare = []
        for table in tenant_tables():
            rows = connection.execute(
                f"select count(*), count(*) filter (where t::text ~ '{OWN}|{SHARED}') from {table.name} t"  # type: ignore[arg-type]
                " where tenant_id = %s",
                [tenant.id],
            ).fetchone()
            assert rows is not None
            if not rows[0] or not rows[1]:
                bare.append(table.name)
    assert bare == ["job_runs"]  # it has no text of its own


def test_its_own_people_do_see_the_words(app: Flask, enter: Enter, ids: Ids) -> None:
    got = answers(app, enter("settings"), ids)
    assert not failures(got)
    shown = {leak.split(" as ")[0] for leak in leaks(got, OWN)}
    assert {f"/reports/{ids['report_id']}", "/reports", "/dashboard"} <= shown


def test_its_own_people_open_every_page_with_an_id(app: Flask, enter: Enter, ids: Ids) -> None:
    """Else the sweeps ask for pages that nobody gets."""
    got, browser = {}, enter("settings")
    for rule in readable(app):
        if set(rule.arguments) & set(ids) and not rule.rule.startswith("/admin"):
            got[rule.endpoint] = browser.get(path_of(app, rule, ids), buffered=True).status_code
    assert got == dict.fromkeys(("prompts.analysis", "reports.show", "runs.show", "runs.steps"), 200)


@pytest.mark.parametrize("name", OTHERS)
def test_nobody_else_sees_a_word(app: Flask, enter: Enter, ids: Ids, name: str) -> None:
    got = answers(app, enter(name), ids)
    assert not leaks(got, OWN)
    assert not failures(got)


@pytest.mark.parametrize("name", ["other", "nobody"])
def test_names_and_audit_are_for_the_company_and_staff_only(app: Flask, enter: Enter, ids: Ids, name: str) -> None:
    assert not leaks(answers(app, enter(name), ids), SHARED)


@pytest.mark.parametrize("name", OTHERS)
def test_nobody_else_sees_a_word_when_the_gate_is_open(
    app: Flask, enter: Enter, ids: Ids, name: str, no_gate: None
) -> None:
    """For staff a page made for a company breaks without one. Broken or not, it shows nothing."""
    got = answers(app, enter(name), ids)
    assert not leaks(got, OWN)
    assert name in ("lite", "admin") or not failures(got)


@pytest.mark.parametrize("name", OTHERS)
def test_row_level_security_alone_hides_every_word(
    app: Flask, enter: Enter, ids: Ids, name: str, no_gate: None, no_filter: None
) -> None:
    got = answers(app, enter(name), ids)
    assert not leaks(got, OWN)
    assert name in ("lite", "admin") or not failures(got)


def test_the_filter_alone_hides_every_word(
    app: Flask, enter: Enter, ids: Ids, no_gate: None, no_row_security: None
) -> None:
    """Staff have no scope, so for them there is no filter: their gate and the database are the walls."""
    got = answers(app, enter("other"), ids)
    assert not leaks(got, OWN)
    assert not failures(got)


def test_without_both_walls_the_words_are_there_to_be_seen(
    app: Flask, enter: Enter, ids: Ids, no_gate: None, no_filter: None, no_row_security: None
) -> None:
    """The sweeps above can fail."""
    assert leaks(answers(app, enter("other"), ids), OWN)


def test_the_gate_was_open(enter: Enter, ids: Ids, no_gate: None) -> None:
    assert enter("lite").get("/reports").status_code != 403
    assert enter("other").get("/admin").status_code == 200


def test_the_database_hides_the_rows_without_any_filter_of_ours(ids: Ids, other_tenant: Tenant) -> None:
    """The statement names no company at all."""
    with tenant_scope(other_tenant.id):
        for table in tenant_tables():
            if table.name != "users":
                owners = db.session.execute(text(f"select distinct tenant_id from {table.name}")).scalars()
                assert set(owners) <= {other_tenant.id, None}, table.name


def test_an_unknown_id_and_a_foreign_one_get_the_same_status(app: Flask, enter: Enter, ids: Ids) -> None:
    browser = enter("other")
    missing = {name: uuid.uuid4() for name in ids}
    for rule in readable(app):
        foreign, nowhere = (browser.get(path_of(app, rule, of), buffered=True) for of in (ids, missing))
        foreign.close()
        nowhere.close()
        assert foreign.status_code == nowhere.status_code, rule.rule
