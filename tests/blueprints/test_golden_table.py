"""Who may open what: every route times everybody, against a table that each group of pages writes its rows of."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from synkro.models import LinkPurpose, Tenant, User
from synkro.services.auth import links
from synkro.tenancy import db, system_scope
from synkro.web.access import rule_of
from tests.blueprints.admin import access_rows as admin
from tests.blueprints.auth import access_rows as auth
from tests.blueprints.dashboard import access_rows as dashboard
from tests.blueprints.reports import access_rows as reports
from tests.blueprints.wizard import access_rows as wizard
from tests.support.factor import enrolled
from tests.support.golden_rows import PEOPLE, Fresh, Rows
from tests.support.rows import make_analysis, make_host, make_report, make_run, make_session
from tests.support.sessions import stale
from tests.support.web_client import Browser, Enter

BROUGHT = {"auth": auth, "admin": admin, "dashboard": dashboard, "reports": reports, "wizard": wizard}
"""Group of pages -> its rows."""
TABLE: Rows = {route: statuses for rows in BROUGHT.values() for route, statuses in rows.ROWS.items()}
FRESH: Fresh = {**auth.FRESH, **admin.FRESH, **wizard.FRESH}
"""All pages of rq-dashboard want the code."""
NOT_OURS = {"rq_dashboard": "admin", "": "dashboard"}
"""Blueprint -> the group that answers for it, where it comes with a package. '': the files that Flask itself serves."""
POSTS = sorted(endpoint for method, endpoint in TABLE if method == "POST")


@pytest.fixture
def ids(tenant: Tenant, cast: dict[str, User]) -> dict[str, uuid.UUID]:
    return {
        "report_id": make_report(tenant),
        "run_id": make_run(tenant),
        "session_id": make_session(cast["user"]),
        "host_id": make_host(tenant),
        "trial_id": make_analysis(tenant),
        "tenant_id": tenant.id,
        "person_id": cast["user"].id,
    }


OF_QUEUES = {
    "instance_number": 0,
    "queue_name": "steps",
    "registry_name": "queued",
    "per_page": 8,
    "order": "asc",
    "page": 1,
    "job_id": "none",
}
"""What the pages of rq-dashboard take."""


def path_of(app: Flask, endpoint: str, ids: dict[str, uuid.UUID]) -> str:
    """filename: of the static route. kind: of a service. slug: of a company. which: text for the AI."""
    rule = next(app.url_map.iter_rules(endpoint))
    known = {
        **ids,
        **OF_QUEUES,
        "filename": "favicon.svg",
        "kind": "supabase",
        "act": "sample",
        "slug": "alfa",
        "which": "prompt",
        "version": 1,
    }
    with app.test_request_context():
        return app.url_for(endpoint, **{name: known[name] for name in rule.arguments})


def test_table_names_every_route(app: Flask) -> None:
    routes = {
        (method, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == set(TABLE)


def group_of(app: Flask, endpoint: str) -> str:
    """The group of pages that a route belongs to, by the module of its blueprint."""
    name = endpoint.rpartition(".")[0]
    return NOT_OURS.get(name) or app.blueprints[name].import_name.split(".")[2]


def test_no_two_groups_bring_rows_of_the_same_route() -> None:
    brought = Counter(route for rows in BROUGHT.values() for route in rows.ROWS)
    assert [route for route, times in brought.items() if times > 1] == []


@pytest.mark.parametrize("group", BROUGHT)
def test_a_group_brings_rows_of_its_own_routes_only(app: Flask, group: str) -> None:
    rows = BROUGHT[group]
    named = {endpoint for _, endpoint in rows.ROWS} | set(getattr(rows, "FRESH", ()))
    assert sorted(endpoint for endpoint in named if group_of(app, endpoint) != group) == []


def test_the_table_of_fresh_proofs_is_what_the_routes_ask_for(app: Flask) -> None:
    asked = {}
    for _, endpoint in TABLE:
        with app.test_request_context():
            rule = rule_of(endpoint)
        if rule and rule.fresh and not endpoint.startswith("rq_dashboard."):
            asked[endpoint] = rule.fresh
    assert asked == FRESH


@pytest.mark.parametrize("endpoint", sorted(FRESH))
def test_an_old_password_opens_nothing_that_wants_a_fresh_one(
    app: Flask, enter: Enter, ids: dict[str, uuid.UUID], endpoint: str
) -> None:
    for method in ("GET", "POST"):
        if (method, endpoint) not in TABLE:
            continue
        for name in (name for name, status in zip(PEOPLE, TABLE[method, endpoint], strict=True) if status != 403):
            browser = enter(name)
            path = path_of(app, endpoint, ids)
            token = browser.token()
            stale()
            answer = browser.get(path) if method == "GET" else browser.post(path, data={"csrf_token": token})
            asked = "/login" if name == "nobody" else "/confirm"
            assert (answer.location or "").partition("?")[0] == asked, (method, name)


LINKS = {"welcome.accept": LinkPurpose.INVITATION, "welcome.reset": LinkPurpose.RESET}
NOBODY_COMES_IN = {endpoint for endpoint in POSTS if endpoint.startswith("rq_dashboard.")}
"""POSTs that are closed to everybody, also in the table."""


def let_in(app: Flask, enter: Enter, cast: dict[str, User], endpoint: str) -> Iterator[Browser]:
    """Whoever comes as far as the form: with a link, with a code, or as the table says."""
    if endpoint in LINKS:
        yield with_link(enter("nobody"), cast["user"], LINKS[endpoint])
        return
    if endpoint == "second_factor.ask" or "code" in FRESH.get(endpoint, ""):
        codes = enrolled(cast["user"])
        browser = enter("user")
        if endpoint != "second_factor.ask":
            browser.send("/second-factor", code=codes[0])
        yield browser
        return
    # a view that reads no form refuses a field before it looks for the row
    closed = (302, 403, 404) if app.view_functions[endpoint].access.form else (302, 403)  # type: ignore[attr-defined]
    yield from (enter(name) for name, got in zip(PEOPLE, TABLE["POST", endpoint], strict=True) if got not in closed)


def with_link(browser: Browser, person: User, purpose: LinkPurpose) -> Browser:
    with system_scope("test: a link"):
        url, _ = links.make(person, purpose)
        db.session.commit()
    parts = urlsplit(url)
    browser.get(f"{parts.path}?{parts.query}")
    return browser


@pytest.mark.parametrize("endpoint", POSTS)
def test_a_field_unknown_to_a_form_is_named_and_nothing_happens(
    app: Flask, enter: Enter, cast: dict[str, User], ids: dict[str, uuid.UUID], endpoint: str
) -> None:
    """Of everybody who may come: also where a form has no field at all."""
    path, checked = path_of(app, endpoint, ids), 0
    for browser in let_in(app, enter, cast, endpoint):
        token = browser.token()
        before = everything()
        answer = browser.post(path, data={"csrf_token": token, "role": "x"}, headers={"Accept": "application/json"})
        assert answer.status_code == 422
        assert answer.get_json()["fields"] == ["role"]
        after = everything()
        for told in ("audit_log", "sessions"):
            before.pop(told), after.pop(told)
        assert after == before
        checked += 1
    assert (checked == 0) == (endpoint in NOBODY_COMES_IN)


@pytest.mark.parametrize(("method", "endpoint"), sorted(TABLE))
def test_everybody_gets_what_the_table_says(
    app: Flask, enter: Enter, ids: dict[str, uuid.UUID], method: str, endpoint: str
) -> None:
    path = path_of(app, endpoint, ids)
    got = []
    for name in PEOPLE:
        browser = enter(name)
        answer = browser.get(path) if method == "GET" else browser.send(path)
        answer.close()
        got.append(answer.status_code)
    assert tuple(got) == TABLE[method, endpoint]


@pytest.mark.parametrize("endpoint", POSTS)
@pytest.mark.parametrize("name", ["nobody", "user", "admin"])
def test_post_without_token_changes_nothing(
    app: Flask, enter: Enter, ids: dict[str, uuid.UUID], endpoint: str, name: str
) -> None:
    browser = enter(name)
    before = everything()
    answer = browser.post(
        path_of(app, endpoint, ids),
        data={"theme": "dark", "language": "en", "text": "Hello", "span": "yesterday", "email": "a@b.kz"},
    )
    assert answer.status_code == 400
    assert everything() == before


def everything() -> dict[str, list[str]]:
    """Every row of every table, as text."""
    with system_scope("test: look at all rows"):
        tables = db.session.execute(text("select tablename from pg_tables where schemaname = 'public'")).scalars()
        return {
            table: sorted(db.session.execute(text(f"select x::text from {table} x")).scalars())
            for table in sorted(tables)
            if table != "alembic_version"
        }


def test_foreign_and_missing_look_the_same(app: Flask, enter: Enter, ids: dict[str, uuid.UUID]) -> None:
    stranger = enter("other")
    for kind in ("run", "report"):
        foreign = stranger.get(f"/{kind}s/{ids[f'{kind}_id']}")
        missing = stranger.get(f"/{kind}s/{uuid.uuid4()}")
        assert foreign.status_code == 404
        assert missing.status_code == 404
        assert without_tokens(foreign) == without_tokens(missing)


def without_tokens(page: TestResponse) -> list[str]:
    """The hidden fields hold a token and the path that was asked for by this very person; a request has its number."""
    text = page.text.replace(page.headers["X-Request-ID"], "").replace("<input", "\n<input")
    return [part for part in text.splitlines() if not part.startswith("<input")]


def test_visitor_comes_back_where_he_wanted(client: Browser) -> None:
    answer = client.get("/reports?page=2")
    assert answer.location == "/login?next=/reports?page%3D2"


def test_disabled_person_is_out_at_the_next_click(enter: Enter) -> None:
    browser = enter("user")
    assert browser.get("/dashboard").status_code == 200
    db.session.execute(text("update users set is_active = false"))
    db.session.commit()
    assert browser.get("/dashboard").status_code == 302
