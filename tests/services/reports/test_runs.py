from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from synkro.errors import AppError
from synkro.models import AuditLog, JobRun, Tenant
from synkro.models.plan import PLAN, StepKey
from synkro.models.states import RunKind, RunStatus, TenantStatus
from synkro.services.reports import artifacts, runs, steps
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support.having import assert_has
from tests.support.runs_by_hand import (
    DAY,
    KEYS,
    NOON,
    at_once,
    begin,
    done,
    expire,
    failed,
    state,
    statuses,
    take,
    taken,
)


def number_of_runs() -> int:
    with system_scope("test"):
        return db.session.execute(select(func.count()).select_from(JobRun)).scalar_one()


def test_starts_at_once_with_different_windows_give_one_run(app: Flask, tenant: Tenant) -> None:
    def start(number: int) -> tuple[uuid.UUID, bool]:
        run, is_new = runs.start(tenant, RunKind.MANUAL, NOON - number * DAY, NOON + DAY)
        return run.id, is_new

    started = at_once(app, tenant, 8, start)
    assert len({run_id for run_id, _ in started}) == 1
    assert sorted(is_new for _, is_new in started) == [False] * 7 + [True]


def test_starts_of_two_processes_give_one_run(app: Flask, tenant: Tenant) -> None:
    children = []
    for number in range(4):
        if (pid := os.fork()) == 0:
            try:
                db.engine.dispose(close=False)
                begin(tenant, start=NOON - number * DAY)
            finally:
                os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    assert number_of_runs() == 1


def test_a_start_of_another_company_is_not_in_the_way(tenant: Tenant, other_tenant: Tenant) -> None:
    assert begin(tenant) != begin(other_tenant)
    assert number_of_runs() == 2


def test_a_scheduled_window_has_one_run_for_ever(tenant: Tenant) -> None:
    first = begin(tenant, RunKind.DAILY)
    failed(tenant, first, KEYS[0])
    assert begin(tenant, RunKind.DAILY) == first


@pytest.mark.parametrize(
    ("kind", "start"), [(RunKind.WEEKLY, NOON), (RunKind.DAILY, NOON + DAY), (RunKind.MANUAL, NOON)], ids=str
)
def test_another_kind_or_window_has_its_own_run(tenant: Tenant, kind: RunKind, start: datetime) -> None:
    first = begin(tenant, RunKind.DAILY)
    failed(tenant, first, KEYS[0])
    assert begin(tenant, kind, start) != first


def test_a_window_by_hand_may_be_repeated(tenant: Tenant) -> None:
    first = begin(tenant)
    failed(tenant, first, KEYS[0])
    assert begin(tenant) != first


def test_scheduled_starts_at_once_give_one_run(app: Flask, tenant: Tenant) -> None:
    at_once(app, tenant, 8, lambda _: runs.start(tenant, RunKind.DAILY, NOON, NOON + DAY)[0].id)
    assert number_of_runs() == 1


def test_a_run_that_ends_while_it_is_in_the_way_stops_no_start(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    first, real = begin(tenant), runs.active

    def active() -> JobRun | None:
        if (run := real()) and run.id == first:
            runs.stop(run)
        return real()

    monkeypatch.setattr(runs, "active", active)
    assert begin(tenant) != first


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (NOON, NOON, "window_empty"),
        (NOON, NOON - DAY, "window_empty"),
        (NOON - 500 * DAY, NOON, "window_too_long"),
        (datetime.now(UTC) + DAY, datetime.now(UTC) + 2 * DAY, "window_in_future"),
    ],
)
def test_impossible_windows_are_refused(tenant: Tenant, start: datetime, end: datetime, code: str) -> None:
    with tenant_scope(tenant.id), pytest.raises(AppError) as refused:
        runs.start(tenant, RunKind.MANUAL, start, end)
    assert refused.value.code == code


def test_a_paused_company_makes_no_reports(tenant: Tenant) -> None:
    tenant.status = TenantStatus.PAUSED
    db.session.commit()
    with pytest.raises(AppError, match="tenant_paused"):
        begin(tenant)


def test_a_company_that_was_paused_meanwhile_continues_no_run(tenant: Tenant) -> None:
    run_id = stopped_at(tenant, 4)
    db.session.merge(tenant).status = TenantStatus.PAUSED
    db.session.commit()
    with pytest.raises(AppError, match="tenant_paused"):
        resume(tenant, run_id)
    assert state(tenant, run_id)[0].status == RunStatus.FAILED


def test_a_run_of_another_company_does_not_exist(tenant: Tenant, other_tenant: Tenant) -> None:
    run_id = begin(tenant)
    with tenant_scope(other_tenant.id):
        assert runs.find(run_id) is None
        assert runs.steps_of(run_id) == []


def stop(tenant: Tenant, run_id: uuid.UUID) -> None:
    with tenant_scope(tenant.id):
        run = runs.find(run_id)
        assert run is not None
        runs.stop(run)


def test_a_queued_run_stops_at_once(tenant: Tenant) -> None:
    run_id = begin(tenant)
    stop(tenant, run_id)
    assert state(tenant, run_id)[0].status == RunStatus.CANCELLED
    assert statuses(tenant, run_id) == ["cancelled"] * len(PLAN)


def test_a_run_that_waits_for_another_try_stops_at_once(tenant: Tenant) -> None:
    run_id = begin(tenant)
    with tenant_scope(tenant.id):
        steps.try_again(taken(tenant, run_id, KEYS[0]), "busy", "{}", 300)
    stop(tenant, run_id)
    assert state(tenant, run_id)[0].status == RunStatus.CANCELLED


def test_a_running_step_hears_of_the_stop_at_its_next_beat(tenant: Tenant) -> None:
    run_id = begin(tenant)
    claim = taken(tenant, run_id, KEYS[0])
    stop(tenant, run_id)
    assert state(tenant, run_id)[0].status == RunStatus.RUNNING
    with tenant_scope(tenant.id):
        assert not steps.renew(db.session.connection(), claim, 60, 0, None)


def test_a_stopped_run_is_over_when_its_worker_lets_go(tenant: Tenant) -> None:
    run_id = begin(tenant)
    claim = taken(tenant, run_id, KEYS[0])
    stop(tenant, run_id)
    with tenant_scope(tenant.id):
        steps.let_go(claim)
    assert state(tenant, run_id)[0].status == RunStatus.CANCELLED
    assert statuses(tenant, run_id) == ["cancelled"] * len(PLAN)


def test_an_orphan_is_cancelled_by_the_tick(tenant: Tenant) -> None:
    run_id = begin(tenant)
    taken(tenant, run_id, KEYS[0])
    stop(tenant, run_id)
    expire(tenant, run_id)
    with system_scope("test"):
        steps.close_stopped()
    assert state(tenant, run_id)[0].status == RunStatus.CANCELLED
    assert statuses(tenant, run_id) == ["cancelled"] * len(PLAN)


def test_a_step_that_has_ended_is_not_cancelled(tenant: Tenant) -> None:
    run_id = begin(tenant)
    done(tenant, run_id, 2)
    stop(tenant, run_id)
    assert statuses(tenant, run_id) == ["done"] * 2 + ["cancelled"] * (len(PLAN) - 2)


def test_an_ended_run_cannot_be_stopped(tenant: Tenant) -> None:
    run_id = begin(tenant)
    done(tenant, run_id, len(KEYS))
    stop(tenant, run_id)
    assert state(tenant, run_id)[0].status == RunStatus.SUCCEEDED


def test_a_stop_and_a_claim_at_once_leave_no_step_of_a_closed_run(app: Flask, tenant: Tenant) -> None:
    for _ in range(12):
        run_id = begin(tenant)
        at_once(app, tenant, 2, lambda n, r=run_id: stop(tenant, r) if n else take(tenant, r, KEYS[0]))  # type: ignore[misc]
        run, rows = state(tenant, run_id)
        closed_with_work = run.status == RunStatus.CANCELLED and rows[0].status == "running"
        assert not closed_with_work
        expire(tenant, run_id)
        with system_scope("test"):
            steps.close_stopped()
        assert state(tenant, run_id)[0].status == RunStatus.CANCELLED


def resume(tenant: Tenant, run_id: uuid.UUID, key: StepKey | None = None) -> StepKey:
    with tenant_scope(tenant.id):
        run = runs.find(run_id)
        assert run is not None
        return runs.resume(run, key)


def stopped_at(tenant: Tenant, n: int) -> uuid.UUID:
    """A run whose n-th step has failed; the first has left a page."""
    run_id = begin(tenant)
    with tenant_scope(tenant.id):
        artifacts.put(run_id, "directory", 0, [1], {})
        db.session.commit()
    done(tenant, run_id, n - 1)
    failed(tenant, run_id, KEYS[n - 1])
    return run_id


def test_a_failed_run_goes_on_from_its_failed_step(tenant: Tenant) -> None:
    run_id = stopped_at(tenant, 4)
    assert resume(tenant, run_id) == KEYS[3]
    assert statuses(tenant, run_id) == ["done"] * 3 + ["ready"] + ["pending"] * (len(PLAN) - 4)
    assert state(tenant, run_id)[0].status == RunStatus.QUEUED


def test_a_resumed_run_comes_to_its_end(tenant: Tenant) -> None:
    run_id = stopped_at(tenant, 4)
    resume(tenant, run_id)
    done(tenant, run_id, 5)
    run, rows = state(tenant, run_id)
    assert_has(run, status=RunStatus.SUCCEEDED, code=None)
    assert {step.status for step in rows} == {"done"}


def test_a_cancelled_run_goes_on_where_it_was(tenant: Tenant) -> None:
    run_id = begin(tenant)
    with tenant_scope(tenant.id):
        artifacts.put(run_id, "directory", 0, [1], {})
        db.session.commit()
    done(tenant, run_id, 2)
    stop(tenant, run_id)
    assert resume(tenant, run_id) == KEYS[2]
    assert take(tenant, run_id, KEYS[2]) is not None


def test_a_step_that_is_done_may_be_done_again(tenant: Tenant) -> None:
    run_id = stopped_at(tenant, 5)
    assert resume(tenant, run_id, KEYS[1]) == KEYS[1]
    assert statuses(tenant, run_id) == ["done", "ready"] + ["pending"] * (len(PLAN) - 2)


def test_a_failed_step_goes_on_behind_what_it_has(tenant: Tenant) -> None:
    run_id = begin(tenant)
    claim = taken(tenant, run_id, KEYS[0])
    with tenant_scope(tenant.id):
        steps.hold(claim)
        steps.keep_cursor(claim, '{"begun": true}', 0, None)
        db.session.commit()
        steps.fail(claim, "busy", "{}")
    resume(tenant, run_id)
    assert taken(tenant, run_id, KEYS[0]).cursor == {"begun": True}


def test_a_step_that_was_done_begins_anew(tenant: Tenant) -> None:
    run_id = begin(tenant)
    claim = taken(tenant, run_id, KEYS[0])
    with tenant_scope(tenant.id):
        steps.hold(claim)
        steps.keep_cursor(claim, '{"begun": true}', 0, None)
        steps.finish(claim, "green", None, "{}", 0, None)
    failed(tenant, run_id, KEYS[1])
    resume(tenant, run_id, KEYS[0])
    assert taken(tenant, run_id, KEYS[0]).cursor == {}


@pytest.mark.parametrize(("key", "code"), [(KEYS[5], "earlier_step_open"), (KEYS[-1], "earlier_step_open")])
def test_no_step_is_left_out(tenant: Tenant, key: StepKey, code: str) -> None:
    run_id = stopped_at(tenant, 3)
    with pytest.raises(AppError, match=code):
        resume(tenant, run_id, key)


def test_an_active_run_is_not_resumed(tenant: Tenant) -> None:
    run_id = begin(tenant)
    with pytest.raises(AppError, match="run_not_ended"):
        resume(tenant, run_id)


def test_a_finished_run_has_nothing_to_go_on_with(tenant: Tenant) -> None:
    run_id = begin(tenant)
    done(tenant, run_id, len(KEYS))
    with pytest.raises(AppError, match="nothing_to_resume"):
        resume(tenant, run_id)


def test_a_run_waits_for_the_active_one(tenant: Tenant) -> None:
    run_id = stopped_at(tenant, 2)
    begin(tenant)
    with pytest.raises(AppError, match="another_run_active"):
        resume(tenant, run_id)
    assert state(tenant, run_id)[0].status == RunStatus.FAILED


def test_a_run_whose_pages_are_deleted_begins_with_the_first_step(tenant: Tenant) -> None:
    run_id = stopped_at(tenant, 4)
    with tenant_scope(tenant.id):
        artifacts.put(run_id, "messages", 0, [1], {})  # what is younger may still be here
        artifacts.forget(run_id, ("directory",))
        db.session.commit()
    with pytest.raises(AppError, match="pages_deleted"):
        resume(tenant, run_id)
    assert resume(tenant, run_id, KEYS[0]) == KEYS[0]


def test_two_who_resume_at_once_make_one_start(app: Flask, tenant: Tenant) -> None:
    run_id = stopped_at(tenant, 4)

    def press(_: int) -> str:
        try:
            return str(resume(tenant, run_id))
        except AppError as error:
            return error.code

    assert sorted(at_once(app, tenant, 4, press)) == sorted([str(KEYS[3]), *["run_not_ended"] * 3])


def test_the_tries_of_a_resumed_step_count_from_one(tenant: Tenant) -> None:
    run_id = stopped_at(tenant, 4)
    resume(tenant, run_id)
    assert taken(tenant, run_id, KEYS[3]).attempt == 1


def test_who_started_stopped_and_resumed_is_written_down(tenant: Tenant) -> None:
    run_id = begin(tenant)
    stop(tenant, run_id)
    resume(tenant, run_id)
    with tenant_scope(tenant.id):
        acts = db.session.execute(select(AuditLog.act).where(AuditLog.object_id == str(run_id)).order_by(AuditLog.at))
        assert list(acts.scalars()) == ["run_started", "run_stopped", "run_resumed"]


def test_the_window_of_a_run_is_what_was_asked_for(tenant: Tenant) -> None:
    run, _ = state(tenant, begin(tenant))
    assert_has(run, window_start=NOON, window_end=NOON + timedelta(days=1))
