"""What holds for every answer, whatever the page."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from dataclasses import replace

import pytest
from flask import Flask

from synkro.extensions import redis, remember, settings, vault
from synkro.models import Tenant, User
from tests.support.rows import make_report, make_run
from tests.support.web_client import Browser, Enter

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)


@pytest.fixture
def paths(tenant: Tenant, cast: dict[str, User]) -> list[tuple[str, str, int]]:
    """(who, path, status)."""
    report, run, person = make_report(tenant), make_run(tenant), cast["user"]
    return [
        ("nobody", "/", 200),
        ("nobody", "/login", 200),
        ("nobody", "/forgot", 200),
        ("nobody", "/forgot?sent=1", 200),
        ("nobody", "/welcome", 410),
        ("nobody", "/reset", 410),
        ("nobody", "/dashboard", 302),
        ("nobody", "/static/css/layout.css", 200),
        ("nobody", "/health", 200),
        ("nobody", "/style", 200),
        ("user", "/dashboard", 200),
        ("user", "/reports", 200),
        ("user", f"/reports/{report}", 200),
        ("user", f"/runs/{run}", 200),
        ("user", f"/runs/{run}/steps", 200),
        ("user", f"/reports/{uuid.uuid4()}", 404),
        ("user", "/reports/1", 404),
        ("user", "/second-factor/set-up", 200),
        ("user", "/account/second-factor", 200),
        ("nobody", "/second-factor", 302),
        ("user", "/account", 200),
        ("user", "/confirm", 200),
        ("user", "/admin", 403),
        ("user", "/logout", 405),
        ("admin", "/admin", 200),
        ("admin", "/account", 200),
        ("admin", "/admin?q=nothing", 200),
        ("admin", "/admin/companies/new", 200),
        ("admin", f"/admin/companies/{tenant.id}", 200),
        ("lite", f"/admin/companies/{tenant.id}", 200),
        ("admin", f"/admin/companies/{tenant.id}/settings", 200),
        ("admin", f"/admin/companies/{tenant.id}/settings/amocrm", 200),
        ("admin", f"/admin/companies/{tenant.id}/settings/amocrm/state", 200),
        ("admin", "/admin/people", 200),
        ("admin", "/admin/people?q=nobody", 200),
        ("admin", "/admin/people/new", 200),
        ("lite", "/admin/people/new", 200),
        ("admin", f"/admin/people/{person.id}", 200),
        ("lite", f"/admin/people/{person.id}", 200),
        ("admin", "/admin/audit", 200),
        ("admin", "/admin/audit.csv", 200),
        ("admin", "/admin/health", 200),
        ("admin", "/admin/health/now", 200),
        ("settings", "/audit", 200),
        ("settings", "/audit.csv?until=yesterday", 422),
    ]


def test_carries_the_policy_and_a_number(enter: Enter, paths: list[tuple[str, str, int]]) -> None:
    for who, path, status in paths:
        answer = enter(who).get(path)
        answer.close()
        assert answer.status_code == status, path
        assert answer.headers["Content-Security-Policy"] == POLICY, path
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"]), path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path


@pytest.mark.parametrize("language", ["ru", "en"])
def test_opens_in_every_language(enter: Enter, paths: list[tuple[str, str, int]], language: str) -> None:
    for who, path, status in paths:
        answer = enter(who).get(path, headers={"Accept-Language": language})
        answer.close()
        assert answer.status_code == status, path


def test_pages_need_no_inline_code(enter: Enter, paths: list[tuple[str, str, int]]) -> None:
    for who, path, _ in paths:
        answer = enter(who).get(path)
        if answer.mimetype == "text/html":
            assert not re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", answer.text), path
        answer.close()


def test_ids_are_unique(enter: Enter, paths: list[tuple[str, str, int]]) -> None:
    for who, path, _ in paths:
        answer = enter(who).get(path)
        found = Counter(re.findall(r'\sid="([^"]+)"', answer.text)) if answer.mimetype == "text/html" else Counter()
        answer.close()
        assert [name for name, times in found.items() if times > 1] == [], path


def test_what_a_person_sees_is_not_stored(enter: Enter) -> None:
    assert enter("user").get("/dashboard").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("POST", "/login", 400)])
def test_refusals_carry_the_policy_too(client: Browser, method: str, path: str, status: int) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == status
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert answer.headers["X-Request-ID"]


def test_programs_get_json_of_one_shape(client: Browser) -> None:
    answer = client.get("/nothing", headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert set(answer.get_json()) == {"error", "code"}


def test_number_of_the_request_stands_on_the_error_page(client: Browser) -> None:
    answer = client.get("/nothing")
    assert f"<code>{answer.headers['X-Request-ID']}</code>" in answer.text


def test_style_page_is_closed_in_production(app: Flask, client: Browser) -> None:
    remember(app, replace(settings(), env="production"), vault(), redis())
    assert client.get("/style").status_code == 404


def test_practice_world_says_so(app: Flask, client: Browser) -> None:
    assert 'class="practice"' not in client.get("/login").text
    remember(app, replace(settings(), stand_ins={"radist": "http://127.0.0.1:1"}), vault(), redis())
    assert 'class="practice"' in client.get("/login").text
