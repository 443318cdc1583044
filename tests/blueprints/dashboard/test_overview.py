"""The page a person starts the day with, and starting a report on it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from synkro.infra import clock
from synkro.models import Automation, JobRun, Tenant
from synkro.models.plan import PLAN
from synkro.models.states import RunKind, RunStatus, TenantStatus
from synkro.services.connections import integrations
from synkro.services.reports import runs, schedules
from synkro.tenancy import db, tenant_scope
from tests.support.rows import NOON, make_report, make_run
from tests.support.web_client import Browser, Enter

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
"""Ten in the morning in Almaty, a Friday."""


@pytest.fixture
def user(enter: Enter) -> Browser:
    return enter("user")


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def overview(user: Browser) -> str:
    answer = user.get("/dashboard")
    assert answer.status_code == 200
    return answer.text


def set_schedule(tenant: Tenant, **changes: object) -> None:
    with tenant_scope(tenant.id):
        automation = schedules.of_tenant()
        assert automation is not None
        for name, value in changes.items():
            setattr(automation, name, value)
        db.session.commit()


def run_of(tenant: Tenant) -> JobRun:
    with tenant_scope(tenant.id):
        run = runs.latest()
        assert run is not None
        return run


def test_new_company_sees_what_to_do(user: Browser) -> None:
    text = overview(user)
    for piece in ("Not started", "1 of 6 steps are done", "No reports yet", "Not planned"):
        assert piece in text
    assert text.index("Supabase") < text.index("amoCRM") < text.index("Radist") < text.index("Telegram")


@pytest.mark.parametrize(
    ("check", "word"),
    [
        ({}, "Saved, not checked yet"),
        ({"check_requested_at": NOW - timedelta(seconds=5)}, "Being checked"),
        ({"check_requested_at": NOW - timedelta(hours=1)}, "Nobody has taken this up on our side."),
        ({"check_colour": "green", "check_code": "ai_ok", "check_params": {"model": "m-1"}}, "Connected: m-1 answers."),
        ({"check_colour": "red", "check_code": "unknown_code"}, "unknown_code"),
    ],
)
def test_connection_in_one_sentence(user: Browser, tenant: Tenant, check: dict[str, object], word: str) -> None:
    with tenant_scope(tenant.id):
        config = integrations.save("ai", {"provider": "gemini", "api_key": "k" * 30, "model": "m-1"}, actor="test")
        for name, value in check.items():
            setattr(config, name, value)
        db.session.commit()
    assert word in overview(user)


@pytest.mark.parametrize(
    ("worked_at", "title"), [(None, "A few steps are left"), (NOW - timedelta(days=3), "Something does not work")]
)
def test_a_choice_is_a_trouble_only_where_it_was_not_needed_before(
    user: Browser, tenant: Tenant, worked_at: datetime | None, title: str
) -> None:
    with tenant_scope(tenant.id):
        config = integrations.save("ai", {"provider": "gemini", "api_key": "k" * 30, "model": "m-1"}, actor="test")
        config.check_colour, config.check_code, config.check_params = "yellow", "ai_model_gone", {"model": "m-1"}
        config.check_stands, config.worked_at = "choice", worked_at
        db.session.commit()
    assert title in overview(user)


def test_secrets_of_connections_are_not_shown(user: Browser, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        integrations.save("ai", {"provider": "gemini", "api_key": "canary-in-the-mine", "model": "m-1"}, actor="test")
    assert "canary-in-the-mine" not in overview(user)


def test_last_report_and_its_figures(user: Browser, tenant: Tenant) -> None:
    for day in (2, 1, 0):
        make_report(tenant, NOON - timedelta(days=day), figures={"unanswered": 10 + day})
    text = overview(user)
    for piece in ("A calm day", "Report for 19.11.2026", "6 min", "Latest reports"):
        assert piece in text
    assert text.count('class="plot spark"') == 4


def test_running_report_says_where_it_is(user: Browser, tenant: Tenant) -> None:
    make_run(tenant, status=RunStatus.RUNNING)
    assert f"Step 1 of {len(PLAN)}: Loading deals from amoCRM" in overview(user)


@pytest.mark.parametrize(
    ("span", "boundary", "start", "end"),
    [
        ("yesterday", 0, "2026-11-19T00:00", "2026-11-20T00:00"),
        ("yesterday", 20, "2026-11-18T20:00", "2026-11-19T20:00"),
        ("week", 0, "2026-11-13T00:00", "2026-11-20T00:00"),
        ("week", 5, "2026-11-13T05:00", "2026-11-20T05:00"),
        ("own", 0, "2026-11-02T00:00", "2026-11-05T00:00"),
    ],
)
def test_period_is_of_whole_local_days(
    user: Browser, tenant: Tenant, span: str, boundary: int, start: str, end: str
) -> None:
    set_schedule(tenant, boundary_hour=boundary)
    answer = user.send("/dashboard/run", span=span, start="2026-11-02", end="2026-11-04")
    run = run_of(tenant)
    zone = ZoneInfo("Asia/Almaty")
    assert answer.location == f"/runs/{run.id}"
    local = [moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M") for moment in (run.window_start, run.window_end)]
    assert local == [start, end]


@pytest.mark.parametrize(
    "fields",
    [
        {"span": "own"},
        {"span": "own", "start": "2026-11-02"},
        {"span": "own", "start": "2026-11-04", "end": "2026-11-02"},
        {"span": "own", "start": "2026-12-04", "end": "2026-12-05"},
        {"span": "own", "start": "2020-01-01", "end": "2026-11-01"},
        {"span": "own", "start": "0001-01-01", "end": "9999-12-31"},
        {"span": "own", "start": "x", "end": "31.12.2026"},
        {"span": "month"},
    ],
)
def test_impossible_period_is_told_at_the_form(user: Browser, tenant: Tenant, fields: dict[str, str]) -> None:
    answer = user.send("/dashboard/run", **fields)
    assert answer.status_code == 422
    assert 'action="/dashboard/run"' in answer.text
    with tenant_scope(tenant.id):
        assert runs.latest() is None


def test_second_press_leads_to_the_first_run(user: Browser, tenant: Tenant) -> None:
    first = user.send("/dashboard/run", span="yesterday").location
    again = user.send("/dashboard/run", span="week")
    assert again.location == first
    assert "A report is being made already: here it is." in user.get(str(first)).text
    with tenant_scope(tenant.id):
        assert db.session.execute(select(func.count()).select_from(JobRun)).scalar_one() == 1


def test_starter_is_remembered(user: Browser, tenant: Tenant, cast: dict[str, object]) -> None:
    user.send("/dashboard/run", span="yesterday")
    assert run_of(tenant).started_by == cast["user"].id  # type: ignore[attr-defined]


def test_paused_company_starts_nothing(user: Browser, tenant: Tenant) -> None:
    tenant.status = TenantStatus.PAUSED
    db.session.commit()
    assert user.send("/dashboard/run", span="yesterday").status_code == 409


@pytest.mark.parametrize(
    ("schedule", "at", "first_day", "last_day"),
    [
        ({"kind": RunKind.DAILY, "at": time(7)}, "21 07:00", "20", "20"),
        ({"kind": RunKind.DAILY, "at": time(12)}, "20 12:00", "19", "19"),
        ({"kind": RunKind.DAILY, "at": time(7), "boundary_hour": 20}, "21 07:00", "19", "20"),
        ({"kind": RunKind.WEEKLY, "at": time(7), "weekday": 0}, "23 07:00", "16", "22"),
        ({"kind": RunKind.WEEKLY, "at": time(12), "weekday": 4}, "20 12:00", "13", "19"),
        ({"kind": RunKind.MONTHLY, "at": time(7)}, "01 07:00", "01", "30"),
    ],
)
def test_next_run(tenant: Tenant, schedule: dict[str, object], at: str, first_day: str, last_day: str) -> None:
    set_schedule(tenant, **schedule)
    with tenant_scope(tenant.id):
        planned = schedules.next_run(tenant)
    assert planned is not None
    zone = ZoneInfo("Asia/Almaty")
    days = (planned.window.start, planned.window.end - timedelta(microseconds=1))
    assert f"{planned.at.astimezone(zone):%d %H:%M}" == at
    assert [f"{day.astimezone(zone):%d}" for day in days] == [first_day, last_day]


def test_no_next_run_by_hand_or_in_a_pause(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        assert schedules.next_run(tenant) is None
    set_schedule(tenant, kind=RunKind.DAILY)
    tenant.status = TenantStatus.PAUSED
    with tenant_scope(tenant.id):
        assert schedules.next_run(tenant) is None


def test_boundary_of_a_company_without_schedule(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        db.session.query(Automation).delete()
        assert schedules.boundary_hour() == 0
