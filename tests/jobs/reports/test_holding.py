"""A report that waits to be read: held before the group, sent on once, whoever presses, whatever dies."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from synkro.errors import AppError
from synkro.extensions import redis, remember, settings, vault
from synkro.jobs.engine import tick
from synkro.jobs.reports import duties, runtime
from synkro.models import Artifact, AuditLog, Automation, Delivery, Report, Tenant, User
from synkro.models.plan import StepKey
from synkro.models.states import RunStatus, TenantStatus
from synkro.services.reports import holding, reports, runs, schedules
from synkro.services.reports.steps import StepClaim
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_has
from tests.support.kills import crash, recover, worker_that_dies
from tests.support.letters import stored
from tests.support.practice import Practice
from tests.support.runs_by_hand import at_once

HOUR = timedelta(hours=1)


def change(practice: Practice, **values: object) -> None:
    with tenant_scope(practice.tenant.id):
        automation = schedules.of_tenant() or Automation(tenant_id=practice.tenant.id)
        for name, value in values.items():
            setattr(automation, name, value)
        db.session.add(automation)
        db.session.commit()


def report_of(practice: Practice, run_id: uuid.UUID) -> Report:
    with tenant_scope(practice.tenant.id):
        return db.session.get_one(Report, reports.id_for(run_id))


def put(practice: Practice, run_id: uuid.UUID, **values: object) -> None:
    with tenant_scope(practice.tenant.id):
        report = db.session.get_one(Report, reports.id_for(run_id))
        for name, value in values.items():
            setattr(report, name, value)
        db.session.commit()


def release(practice: Practice, run_id: uuid.UUID, by: uuid.UUID | None = None) -> bool:
    with tenant_scope(practice.tenant.id):
        return holding.release(reports.id_for(run_id), by)


@pytest.fixture
def held(practice: Practice, cast: dict[str, User]) -> uuid.UUID:
    """The run of a report that waits for a person."""
    change(practice, is_held=True)
    return practice.run().id


def test_a_held_report_does_not_reach_the_group(practice: Practice, held: uuid.UUID) -> None:
    run, steps = practice.state(held)
    assert practice.sent() == []
    assert run.status == RunStatus.SUCCEEDED
    assert_has(steps[-1], colour="yellow", code="held_for_review")
    assert report_of(practice, held).held_at is not None
    assert report_of(practice, held).goes_at is None


def test_those_who_may_send_it_get_a_letter(held: uuid.UUID) -> None:
    assert [letter["to"] for letter in stored()] == ["settings@example.com"]


def test_a_released_report_reaches_the_group(practice: Practice, held: uuid.UUID, cast: dict[str, User]) -> None:
    assert release(practice, held, cast["settings"].id)
    practice.drain()
    run, steps = practice.state(held)
    assert run.status == RunStatus.SUCCEEDED
    assert steps[-1].colour == "green"
    assert len(practice.sent()) == len(deliveries(practice)) > 0
    assert report_of(practice, held).released_by == cast["settings"].id


def deliveries(practice: Practice) -> list[Delivery]:
    with tenant_scope(practice.tenant.id):
        return list(db.session.execute(select(Delivery)).scalars())


def acts(practice: Practice) -> list[str]:
    with tenant_scope(practice.tenant.id):
        return list(db.session.execute(select(AuditLog.act).order_by(AuditLog.seq)).scalars())


def test_pressed_many_times_at_once_it_goes_once(practice: Practice, held: uuid.UUID) -> None:
    pressed = at_once(practice.app, practice.tenant, 6, lambda _: holding.release(reports.id_for(held), None))
    practice.drain()
    tick.tick()
    practice.drain()
    assert sorted(pressed) == [False] * 5 + [True]
    assert len(practice.sent()) == len(deliveries(practice))
    assert acts(practice).count("report_released") == acts(practice).count("run_resumed") == 1


def test_pressed_again_after_it_went_nothing_goes(practice: Practice, held: uuid.UUID) -> None:
    release(practice, held)
    practice.drain()
    sent = len(practice.sent())
    assert not release(practice, held)
    practice.drain()
    assert len(practice.sent()) == sent


def test_a_report_whose_time_has_come_goes_by_itself(practice: Practice, held: uuid.UUID) -> None:
    put(practice, held, goes_at=datetime.now(UTC) + HOUR)
    tick.tick()
    practice.drain()
    assert practice.sent() == []
    put(practice, held, goes_at=datetime.now(UTC) - timedelta(seconds=1))
    for _ in range(2):
        tick.tick()
        practice.drain()
    assert len(practice.sent()) == len(deliveries(practice)) > 0
    assert report_of(practice, held).released_by is None


def test_a_paused_company_sends_nothing_by_itself(practice: Practice, held: uuid.UUID) -> None:
    put(practice, held, goes_at=datetime.now(UTC) - HOUR)
    practice.tenant.status = TenantStatus.PAUSED
    db.session.commit()
    tick.tick()
    practice.drain()
    assert practice.sent() == []


def test_a_paused_company_releases_nothing(practice: Practice, held: uuid.UUID) -> None:
    practice.tenant.status = TenantStatus.PAUSED
    db.session.commit()
    with pytest.raises(AppError, match="tenant_paused"):
        release(practice, held)
    assert report_of(practice, held).released_at is None


def test_it_goes_at_the_next_such_time_of_the_runs_own_zone(practice: Practice) -> None:
    change(practice, is_held=True, not_later_than=time(9, 30))
    run_id = practice.start()
    practice.tenant.timezone = "America/New_York"
    db.session.commit()
    practice.drain()
    goes_at = report_of(practice, run_id).goes_at
    assert goes_at is not None
    assert goes_at.astimezone(ZoneInfo("Asia/Almaty")).time() == time(9, 30)
    assert timedelta() < goes_at - datetime.now(UTC) <= timedelta(days=1)


def test_the_tick_finds_a_run_released_just_before_a_kill(practice: Practice, held: uuid.UUID) -> None:
    put(practice, held, released_at=datetime.now(UTC))
    tick.tick()
    practice.drain()
    assert len(practice.sent()) == len(deliveries(practice)) > 0


@pytest.fixture
def impatient(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(practice.app, replace(settings(), lease_seconds=1), vault(), redis())
    monkeypatch.setattr(duties, "QUIET_SECONDS", 0)


def mine_before_the_end() -> None:
    """Dies when the last step has done its work and that is not written down."""
    real = runtime.steps.finish

    def finish(claim: StepClaim, *args: Any) -> Any:
        if claim.key == StepKey.NOTIFY_TELEGRAM:
            crash()
        return real(claim, *args)

    runtime.steps.finish = finish


@pytest.mark.usefixtures("impatient")
def test_killed_right_after_it_was_put_on_hold_the_report_waits(practice: Practice) -> None:
    change(practice, is_held=True)
    run_id = practice.start()
    worker_that_dies(practice, mine_before_the_end)
    recover(practice, run_id)
    assert practice.sent() == []
    assert practice.state(run_id)[1][-1].code == "held_for_review"


@pytest.mark.usefixtures("impatient")
def test_killed_right_after_it_was_sent_on_it_has_arrived_once(practice: Practice, held: uuid.UUID) -> None:
    release(practice, held)
    worker_that_dies(practice, mine_before_the_end)
    recover(practice, held)
    assert len(practice.sent()) == len(deliveries(practice)) > 0


def test_another_run_delays_a_released_report_and_does_not_lose_it(practice: Practice, held: uuid.UUID) -> None:
    window = practice.yesterday
    with tenant_scope(practice.tenant.id):
        other, _ = runs.start(practice.tenant, "manual", window.start - 24 * HOUR, window.start)  # type: ignore[arg-type]
    assert release(practice, held)
    with tenant_scope(practice.tenant.id):
        runs.stop(runs.find(other.id))  # type: ignore[arg-type]
    tick.tick()
    practice.drain()
    assert len(practice.sent()) == len(deliveries(practice)) > 0


def test_a_step_that_begins_anew_keeps_the_report_on_hold(practice: Practice, held: uuid.UUID) -> None:
    change(practice, is_held=False)
    with tenant_scope(practice.tenant.id):
        runs.resume(runs.find(held), practice.state(held)[1][-1].key)  # type: ignore[arg-type]
    practice.drain()
    assert practice.sent() == []
    assert practice.state(held)[1][-1].code == "held_for_review"


def test_a_report_of_which_a_part_was_sent_is_not_held_any_more(practice: Practice) -> None:
    practice.control("telegram", fault="flood", times=1)
    run_id = practice.start()
    practice.drain()
    change(practice, is_held=True)
    practice.hurry(run_id)
    practice.drain()
    assert practice.state(run_id)[0].status == RunStatus.SUCCEEDED
    assert len(practice.sent()) == len(deliveries(practice)) > 0


def test_what_retention_has_taken_is_not_sent(practice: Practice, held: uuid.UUID) -> None:
    with tenant_scope(practice.tenant.id):
        db.session.query(Artifact).delete()
        db.session.commit()
    with pytest.raises(AppError, match="pages_deleted"):
        release(practice, held)
    assert report_of(practice, held).released_at is None


def test_a_report_that_was_not_held_is_not_released(practice: Practice) -> None:
    run_id = practice.run().id
    with pytest.raises(AppError, match="not_held"):
        release(practice, run_id)


def test_a_foreign_report_is_not_released(practice: Practice, held: uuid.UUID, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant.id), pytest.raises(AppError, match="not_held"):
        holding.release(reports.id_for(held), None)


def test_working_hours_of_the_company_make_the_figures(
    practice: Practice, new_practice: Callable[[Tenant], Practice], other_tenant: Tenant
) -> None:
    change(practice, working_hours={"week": [[[0, 1440]]] * 7})
    always = report_of(practice, practice.run().id).figures
    office = new_practice(other_tenant)
    usual = report_of(office, office.run().id).figures
    names = list(always["working_hours"])
    assert [always["working_hours"][name] for name in names] == [always[name] for name in names]
    assert usual["working_hours"] != always["working_hours"]
    assert [usual[name] for name in names] == [always[name] for name in names]
    assert always["open_hours"] == list(range(24))
    assert usual["open_hours"] == list(range(9, 18))
