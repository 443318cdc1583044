"""A report that is late is told of: once, to those who can do something about it, with how it stands."""

from __future__ import annotations

import uuid
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from synkro.jobs.engine import tick
from synkro.models import AuditLog, Delivery, JobRun, Report, Tenant, User
from synkro.models.plan import StepKey
from synkro.models.states import DeliveryStatus, ReportStatus, RunKind, RunStatus, StepStatus, TenantStatus
from synkro.services.reports import reports, runs, schedules
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_has
from tests.support.letters import stored
from tests.support.runs_by_hand import KEYS, at_once, failed

ALMATY = ZoneInfo("Asia/Almaty")
SEVEN = datetime(2026, 3, 2, 7, tzinfo=ALMATY)
NINE = SEVEN + timedelta(hours=2)


@pytest.fixture(autouse=True)
def daily(tenant: Tenant, cast: dict[str, User]) -> None:
    plan(tenant)


def plan(tenant: Tenant, **changes: Any) -> None:
    """Every day at seven, not later than nine."""
    chosen = {"kind": RunKind.DAILY, "at": time(7), "not_later_than": time(9), "updated_at": SEVEN - timedelta(hours=1)}
    with tenant_scope(tenant.id):
        automation = schedules.of_tenant()
        assert automation is not None
        for name, value in {**chosen, **changes}.items():
            setattr(automation, name, value)
        db.session.commit()


def ticked(moment: datetime) -> None:
    with time_machine.travel(moment, tick=False):
        tick.tick()


def begun(tenant: Tenant) -> uuid.UUID:
    """The run of the morning, waiting for its first step."""
    ticked(SEVEN)
    with tenant_scope(tenant.id):
        run = db.session.execute(select(JobRun)).scalar_one()
        return run.id


def ended(tenant: Tenant, code: str | None = None, *, sent: bool = False, **held: Any) -> uuid.UUID:
    """The run of the morning with its report."""
    run_id = begun(tenant)
    with tenant_scope(tenant.id):
        run = db.session.get_one(JobRun, run_id)
        run.status = RunStatus.SUCCEEDED
        for step in runs.steps_of(run_id):
            step.status = StepStatus.DONE
            step.code = code if step.key == StepKey.NOTIFY_TELEGRAM else None
        report = db.session.get_one(Report, reports.save(run, ReportStatus.READY, "", {}, []))
        for name, value in held.items():
            setattr(report, name, value)
        if sent:
            db.session.add(
                Delivery(
                    tenant_id=tenant.id,
                    report_id=report.id,
                    channel="telegram",
                    target="1",
                    part=1,
                    status=DeliveryStatus.SENT,
                )
            )
        db.session.commit()
    return run_id


def written(tenant: Tenant) -> list[AuditLog]:
    late = select(AuditLog).where(AuditLog.tenant_id == tenant.id, AuditLog.act == "report_late")
    with tenant_scope(tenant.id):
        return list(db.session.execute(late.order_by(AuditLog.seq)).scalars())


def told() -> list[str]:
    return [letter["to"] for letter in stored()]


def test_a_report_that_has_not_arrived_is_told_of_once(tenant: Tenant) -> None:
    begun(tenant)
    ticked(NINE - timedelta(seconds=1))
    assert told() == []
    for minute in range(3):
        ticked(NINE + timedelta(minutes=minute))
    assert told() == ["settings@example.com"]


def test_ticks_at_once_tell_of_it_once(app: Flask, tenant: Tenant) -> None:
    begun(tenant)
    with time_machine.travel(NINE, tick=False):
        at_once(app, tenant, 6, lambda _: tick.tick())
    assert told() == ["settings@example.com"]


def test_the_next_late_report_is_told_of_again(tenant: Tenant) -> None:
    ended(tenant)
    ticked(NINE)
    ticked(NINE + timedelta(days=1))
    assert [row.object_id for row in written(tenant)] == [
        "daily 2026-03-01T19:00:00+00:00",
        "daily 2026-03-02T19:00:00+00:00",
    ]


def test_a_report_that_has_arrived_is_not_told_of(tenant: Tenant) -> None:
    ended(tenant, sent=True)
    ticked(NINE)
    assert told() == []


@pytest.mark.parametrize("released_at", [None, NINE])
def test_a_report_that_waits_for_its_reader_is_not_late(tenant: Tenant, released_at: datetime | None) -> None:
    ended(tenant, "held_for_review", held_at=SEVEN, released_at=released_at)
    ticked(NINE)
    assert told() == []


def test_a_held_report_that_could_not_be_sent_is_late(tenant: Tenant) -> None:
    run_id = ended(tenant, held_at=SEVEN, released_at=SEVEN)
    with tenant_scope(tenant.id):
        db.session.get_one(JobRun, run_id).status = RunStatus.FAILED
        db.session.commit()
    ticked(NINE)
    assert told() == ["settings@example.com"]


def test_a_failed_run_is_told_of_with_its_step(tenant: Tenant) -> None:
    failed(tenant, begun(tenant), KEYS[0])
    ticked(NINE)
    (letter,) = stored()
    assert "1" in letter["text"]
    assert "amoCRM" in letter["text"]


def test_a_report_that_reached_the_cabinet_only_says_why(tenant: Tenant, cast: dict[str, User]) -> None:
    cast["settings"].language = "en"
    db.session.commit()
    ended(tenant, "telegram_not_connected")
    ticked(NINE)
    (letter,) = stored()
    assert "Telegram is not connected: the report is in the cabinet only." in letter["text"]


def test_a_report_that_could_not_begin_is_told_of(tenant: Tenant) -> None:
    with time_machine.travel(SEVEN - timedelta(minutes=1), tick=False), tenant_scope(tenant.id):
        runs.start(tenant, RunKind.MANUAL, SEVEN - timedelta(days=3), SEVEN - timedelta(days=2))
    ticked(NINE)
    assert told() == ["settings@example.com"]


def test_the_time_may_lie_after_midnight(tenant: Tenant) -> None:
    plan(tenant, at=time(23), not_later_than=time(1))
    ticked(SEVEN.replace(hour=23))
    ticked(SEVEN.replace(hour=23, minute=59))
    assert told() == []
    ticked(SEVEN.replace(hour=1) + timedelta(days=1))
    assert told() == ["settings@example.com"]


@pytest.mark.parametrize(
    "changes",
    [{"not_later_than": None}, {"kind": RunKind.MANUAL}, {"updated_at": SEVEN + timedelta(hours=1)}],
    ids=["no such time", "by hand", "set after its hour"],
)
def test_nobody_is_told_of_what_nobody_waits_for(tenant: Tenant, changes: dict[str, Any]) -> None:
    plan(tenant, **changes)
    ticked(NINE)
    assert told() == []


def test_a_paused_company_is_not_told(tenant: Tenant) -> None:
    begun(tenant)
    tenant.status = TenantStatus.PAUSED
    db.session.commit()
    ticked(NINE)
    assert told() == []


def test_what_was_late_the_day_before_is_no_news(tenant: Tenant) -> None:
    plan(tenant, kind=RunKind.WEEKLY, updated_at=SEVEN - timedelta(days=9))
    ticked(NINE + timedelta(days=1, seconds=1))
    assert told() == []


def test_it_is_written_down(tenant: Tenant) -> None:
    begun(tenant)
    ticked(NINE)
    (late,) = written(tenant)
    assert_has(late, tenant_id=tenant.id, object_id="daily 2026-03-01T19:00:00+00:00")
