"""Who may open what: every route times everybody, against a table that is written by hand."""

from __future__ import annotations

import uuid
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
from tests.support.factor import enrolled
from tests.support.rows import make_analysis, make_host, make_report, make_run, make_session
from tests.support.sessions import stale
from tests.support.web_client import Browser, Enter

PEOPLE = ("nobody", "user", "settings", "other", "lite", "admin")

# visitor, user, user with settings, user of another company, staff, chief of staff
TABLE: dict[tuple[str, str], tuple[int, int, int, int, int, int]] = {
    ("GET", "public.index"): (200, 302, 302, 302, 302, 302),
    ("GET", "public.healthy"): (200, 200, 200, 200, 200, 200),
    ("GET", "public.ready"): (200, 200, 200, 200, 200, 200),
    ("GET", "static"): (200, 200, 200, 200, 200, 200),
    ("GET", "style.sheet"): (200, 200, 200, 200, 200, 200),
    ("GET", "auth.sign_in"): (200, 302, 302, 302, 302, 302),
    ("POST", "auth.sign_in"): (422, 302, 302, 302, 302, 302),
    ("GET", "auth.confirm"): (302, 200, 200, 200, 200, 200),
    ("POST", "auth.confirm"): (302, 422, 422, 422, 422, 422),
    ("GET", "account.show"): (302, 200, 200, 200, 200, 200),
    ("POST", "account.change_password"): (302, 422, 422, 422, 422, 422),
    ("POST", "account.end_session"): (302, 303, 404, 404, 404, 404),
    ("POST", "account.end_others"): (302, 303, 303, 303, 303, 303),
    ("GET", "welcome.accept"): (410, 410, 410, 410, 410, 410),
    ("POST", "welcome.accept"): (410, 410, 410, 410, 410, 410),
    ("GET", "welcome.reset"): (410, 410, 410, 410, 410, 410),
    ("POST", "welcome.reset"): (410, 410, 410, 410, 410, 410),
    ("GET", "welcome.forgot"): (200, 200, 200, 200, 200, 200),
    ("POST", "welcome.forgot"): (422, 422, 422, 422, 422, 422),
    ("POST", "auth.logout"): (303, 303, 303, 303, 303, 303),
    ("GET", "second_factor.ask"): (302, 302, 302, 302, 302, 302),
    ("POST", "second_factor.ask"): (302, 302, 302, 302, 302, 302),
    ("GET", "second_factor.enrol"): (302, 200, 200, 200, 200, 200),
    ("POST", "second_factor.enrol"): (302, 422, 422, 422, 422, 422),
    ("GET", "second_factor.manage"): (302, 200, 200, 200, 200, 200),
    ("POST", "second_factor.new_codes"): (302, 303, 303, 303, 409, 409),
    ("POST", "second_factor.switch_off"): (302, 303, 303, 303, 403, 403),
    ("POST", "preferences.theme"): (422, 422, 422, 422, 422, 422),
    ("POST", "preferences.language"): (422, 422, 422, 422, 422, 422),
    ("GET", "dashboard.overview"): (302, 200, 200, 200, 403, 403),
    ("POST", "runs.create"): (302, 303, 303, 303, 403, 403),
    ("GET", "runs.show"): (302, 200, 200, 404, 403, 403),
    ("GET", "runs.steps"): (302, 200, 200, 404, 403, 403),
    ("POST", "runs.stop"): (302, 303, 303, 404, 403, 403),
    ("POST", "runs.resume"): (302, 409, 409, 404, 403, 403),
    ("POST", "runs.send_again"): (302, 409, 409, 404, 403, 403),
    ("GET", "reports.index"): (302, 200, 200, 200, 403, 403),
    ("GET", "reports.show"): (302, 200, 200, 404, 403, 403),
    ("POST", "reports.comment"): (302, 422, 422, 404, 403, 403),
    ("POST", "reports.release"): (302, 403, 409, 403, 403, 403),
    ("GET", "automation.show"): (302, 403, 200, 403, 403, 403),
    ("POST", "automation.save"): (302, 403, 422, 403, 403, 403),
    ("GET", "admin.home"): (302, 403, 403, 403, 200, 200),
    ("GET", "admin.create"): (302, 403, 403, 403, 403, 200),
    ("POST", "admin.create"): (302, 403, 403, 403, 403, 422),
    ("GET", "admin.company"): (302, 403, 403, 403, 200, 200),
    ("POST", "admin.rename"): (302, 403, 403, 403, 403, 422),
    ("POST", "admin.pause"): (302, 403, 403, 403, 403, 303),
    ("POST", "admin.resume"): (302, 403, 403, 403, 403, 303),
    ("POST", "admin.delete"): (302, 403, 403, 403, 403, 422),
    ("POST", "admin.keep"): (302, 403, 403, 403, 403, 303),
    ("GET", "company_settings.index"): (302, 403, 403, 403, 403, 200),
    ("GET", "company_settings.show"): (302, 403, 403, 403, 403, 200),
    ("POST", "company_settings.save"): (302, 403, 403, 403, 403, 422),
    ("POST", "company_settings.check"): (302, 403, 403, 403, 403, 404),
    ("GET", "company_settings.state"): (302, 403, 403, 403, 403, 200),
    ("POST", "hosts.ask"): (302, 403, 404, 403, 403, 403),
    ("POST", "hosts.approve"): (302, 403, 403, 403, 403, 303),
    ("POST", "hosts.withdraw"): (302, 403, 403, 403, 403, 303),
    ("GET", "settings.index"): (302, 403, 200, 403, 403, 403),
    ("GET", "settings.show"): (302, 403, 200, 403, 403, 403),
    ("POST", "settings.save"): (302, 403, 303, 403, 403, 403),
    ("POST", "settings.check"): (302, 403, 404, 403, 403, 403),
    ("POST", "settings.try_out"): (302, 403, 303, 403, 403, 403),
    ("GET", "settings.state"): (302, 403, 200, 403, 403, 403),
    ("GET", "people.index"): (302, 403, 403, 403, 200, 200),
    ("GET", "people.new"): (302, 403, 403, 403, 200, 200),
    ("POST", "people.new"): (302, 403, 403, 403, 422, 422),
    ("GET", "people.show"): (302, 403, 403, 403, 200, 200),
    ("POST", "people.invite_again"): (302, 403, 403, 403, 409, 409),
    ("POST", "people.make_reset_link"): (302, 403, 403, 403, 303, 200),
    ("POST", "people.rename"): (302, 403, 403, 403, 303, 303),
    ("POST", "people.disable"): (302, 403, 403, 403, 303, 303),
    ("POST", "people.enable"): (302, 403, 403, 403, 303, 303),
    ("POST", "people.set_access"): (302, 403, 403, 403, 403, 422),
    ("POST", "people.sign_out"): (302, 403, 403, 403, 403, 303),
    ("POST", "people.reset_factor"): (302, 403, 403, 403, 403, 303),
    ("POST", "people.delete"): (302, 403, 403, 403, 403, 303),
    ("GET", "audit.staff"): (302, 403, 403, 403, 403, 200),
    ("GET", "audit.staff_export"): (302, 403, 403, 403, 403, 200),
    ("GET", "audit.company"): (302, 403, 200, 403, 403, 403),
    ("GET", "audit.company_export"): (302, 403, 200, 403, 403, 403),
    ("GET", "amocrm.authorize"): (302, 403, 303, 403, 403, 403),
    ("GET", "amocrm.callback"): (302, 403, 400, 403, 403, 403),
    ("GET", "amocrm.disabled"): (404, 404, 404, 404, 404, 404),
    ("GET", "prompts.show"): (302, 403, 200, 403, 403, 403),
    ("POST", "prompts.save"): (302, 403, 303, 403, 403, 403),
    ("GET", "prompts.version"): (302, 403, 404, 403, 403, 403),
    ("POST", "prompts.restore"): (302, 403, 404, 403, 403, 403),
    ("GET", "prompts.list_analyses"): (302, 403, 200, 403, 403, 403),
    ("GET", "prompts.analysis"): (302, 403, 200, 403, 403, 403),
    ("GET", "health.show"): (302, 403, 403, 403, 403, 200),
    ("GET", "health.now"): (302, 403, 403, 403, 403, 200),
    ("GET", "rq_dashboard.static"): (302, 403, 403, 403, 403, 404),
    ("GET", "rq_dashboard.favicon"): (302, 403, 403, 403, 403, 200),
    ("GET", "rq_dashboard.queues_overview"): (302, 403, 403, 403, 403, 200),
    ("GET", "rq_dashboard.workers_overview"): (302, 403, 403, 403, 403, 200),
    ("GET", "rq_dashboard.jobs_overview"): (302, 403, 403, 403, 403, 200),
    ("GET", "rq_dashboard.job_view"): (302, 403, 403, 403, 403, 404),
    ("GET", "rq_dashboard.list_queues"): (302, 403, 403, 403, 403, 200),
    ("GET", "rq_dashboard.list_workers"): (302, 403, 403, 403, 403, 200),
    ("GET", "rq_dashboard.list_jobs"): (302, 403, 403, 403, 403, 200),
    ("GET", "rq_dashboard.job_info"): (302, 403, 403, 403, 403, 404),
    ("POST", "rq_dashboard.delete_job_view"): (302, 403, 403, 403, 403, 403),
    ("POST", "rq_dashboard.requeue_job_view"): (302, 403, 403, 403, 403, 403),
    ("POST", "rq_dashboard.requeue_all"): (302, 403, 403, 403, 403, 403),
    ("POST", "rq_dashboard.empty_queue"): (302, 403, 403, 403, 403, 403),
    ("POST", "rq_dashboard.compact_queue"): (302, 403, 403, 403, 403, 403),
}
FRESH = {
    "second_factor.enrol": "password",
    "second_factor.new_codes": "password code",
    "second_factor.switch_off": "password code",
    "settings.save": "password",
    "company_settings.save": "password",
    "hosts.approve": "password",
    "hosts.withdraw": "password",
    "amocrm.authorize": "password",
    "admin.delete": "password",
    "people.new": "password",
    "people.invite_again": "password",
    "people.make_reset_link": "password",
    "people.set_access": "password",
    "people.reset_factor": "password",
    "people.delete": "password",
    "audit.staff_export": "password",
    "audit.company_export": "password",
}
"""What has to have been shown in the last quarter of an hour. All pages of rq-dashboard want the code."""
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
