from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from synkro.models import JobStep, Tenant
from synkro.models.plan import BY_KEY, PLAN
from synkro.models.states import RunStatus
from synkro.services.reports import runs, steps
from synkro.services.reports.steps import LeaseLost
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support.having import assert_has
from tests.support.runs_by_hand import KEYS, at_once, begin, done, expire, failed, state, statuses, take, taken


def return_expired() -> int:
    with system_scope("test"):
        return steps.return_expired()


def due(quiet: int = 0) -> list[str]:
    with system_scope("test"):
        return [step.key for step in steps.due(quiet)]


def renewed(tenant: Tenant, claim: steps.StepClaim) -> bool:
    with tenant_scope(tenant.id):
        alive = steps.renew(db.session.connection(), claim, 60, 3, 9)
        db.session.commit()
        return alive


def test_claims_at_once_take_a_step_once(app: Flask, tenant: Tenant) -> None:
    run_id = begin(tenant)
    claims = at_once(app, tenant, 8, lambda _: take(tenant, run_id, KEYS[0]))
    assert len([claim for claim in claims if claim]) == 1


def test_a_claimed_run_is_running(tenant: Tenant) -> None:
    run_id = begin(tenant)
    taken(tenant, run_id, KEYS[0])
    run, rows = state(tenant, run_id)
    assert run.status == RunStatus.RUNNING
    assert_has(rows[0], status="running", attempts=1)


def test_a_stale_job_finds_nothing(tenant: Tenant) -> None:
    run_id = begin(tenant)
    done(tenant, run_id, 2)
    assert [take(tenant, run_id, key) for key in (KEYS[0], KEYS[1], KEYS[3])] == [None] * 3


def test_a_job_for_no_run_finds_nothing(tenant: Tenant) -> None:
    assert take(tenant, uuid.uuid4(), KEYS[0]) is None


def test_a_job_of_another_company_finds_nothing(tenant: Tenant, other_tenant: Tenant) -> None:
    run_id = begin(tenant)
    assert take(other_tenant, run_id, KEYS[0]) is None
    assert take(tenant, run_id, KEYS[0]) is not None


def test_a_step_that_waits_is_not_taken_early(tenant: Tenant) -> None:
    run_id = begin(tenant)
    with tenant_scope(tenant.id):
        steps.try_again(taken(tenant, run_id, KEYS[0]), "busy", "{}", 60)
    assert take(tenant, run_id, KEYS[0]) is None


def test_a_step_of_a_failed_run_is_not_taken(tenant: Tenant) -> None:
    run_id = begin(tenant)
    failed(tenant, run_id, KEYS[0])
    assert take(tenant, run_id, KEYS[0]) is None


def test_a_step_that_is_done_makes_the_next_one_ready(tenant: Tenant) -> None:
    run_id = begin(tenant)
    with tenant_scope(tenant.id):
        assert steps.finish(taken(tenant, run_id, KEYS[0]), "yellow", "busy", '{"a": 1}', 5, 7) == KEYS[1]
    first = state(tenant, run_id)[1][0]
    assert_has(first, colour="yellow", code="busy", params={"a": 1}, done=5, total=7)
    assert statuses(tenant, run_id) == ["done", "ready"] + ["pending"] * (len(PLAN) - 2)


def test_the_last_step_ends_the_run(tenant: Tenant) -> None:
    run_id = begin(tenant)
    done(tenant, run_id, len(PLAN))
    run, _ = state(tenant, run_id)
    assert run.status == RunStatus.SUCCEEDED
    assert run.finished_at is not None


def test_a_failed_step_ends_the_run_and_cancels_the_rest(tenant: Tenant) -> None:
    run_id = begin(tenant)
    done(tenant, run_id, 2)
    failed(tenant, run_id, KEYS[2])
    run, rows = state(tenant, run_id)
    assert_has(run, status=RunStatus.FAILED, code="server_error")
    assert statuses(tenant, run_id) == ["done", "done", "failed"] + ["cancelled"] * (len(PLAN) - 3)
    assert_has(rows[2], colour="red", code="server_error")


def test_a_counted_try_counts_and_an_interrupted_one_does_not(tenant: Tenant) -> None:
    run_id = begin(tenant)
    with tenant_scope(tenant.id):
        steps.try_again(taken(tenant, run_id, KEYS[0]), "busy", "{}", 0)
        steps.try_again(taken(tenant, run_id, KEYS[0]), "worker_stopping", "{}", 0, counted=False)
    assert taken(tenant, run_id, KEYS[0]).attempt == 2


class TestTheFence:
    """A worker that lost its step can change nothing any more."""

    @pytest.fixture
    def old(self, tenant: Tenant) -> steps.StepClaim:
        run_id = begin(tenant)
        old = taken(tenant, run_id, KEYS[0])
        expire(tenant, run_id)
        assert return_expired() == 1
        taken(tenant, run_id, KEYS[0])
        return old

    def test_its_lease_is_not_renewed(self, tenant: Tenant, old: steps.StepClaim) -> None:
        assert not renewed(tenant, old)

    def test_it_can_not_finish(self, tenant: Tenant, old: steps.StepClaim) -> None:
        with tenant_scope(tenant.id), pytest.raises(LeaseLost):
            steps.finish(old, "green", None, "{}", 0, None)
        assert statuses(tenant, old.run_id)[:2] == ["running", "pending"]

    def test_it_can_not_write(self, tenant: Tenant, old: steps.StepClaim) -> None:
        with tenant_scope(tenant.id), pytest.raises(LeaseLost):
            steps.hold(old)

    @pytest.mark.parametrize("act", ["fail", "try_again", "let_go"])
    def test_it_can_not_give_up_what_is_not_its_own(self, tenant: Tenant, old: steps.StepClaim, act: str) -> None:
        rest = {"fail": ("busy", "{}"), "try_again": ("busy", "{}", 0.0), "let_go": ()}[act]
        with tenant_scope(tenant.id):
            getattr(steps, act)(old, *rest)
        run, rows = state(tenant, old.run_id)
        assert run.status == RunStatus.RUNNING
        assert rows[0].status == "running"
        assert rows[0].lease_until is not None
        assert rows[0].lease_until > datetime.now(UTC)

    def test_a_claim_before_a_resume_is_lost(self, tenant: Tenant) -> None:
        run_id = begin(tenant)
        old = taken(tenant, run_id, KEYS[0])
        with tenant_scope(tenant.id):
            run = runs.find(run_id)
            assert run is not None
            runs.stop(run)
            steps.let_go(old)
            runs.resume(run)
        taken(tenant, run_id, KEYS[0])
        assert not renewed(tenant, old)


def test_a_beat_tells_how_far_the_work_is(tenant: Tenant) -> None:
    run_id = begin(tenant)
    assert renewed(tenant, taken(tenant, run_id, KEYS[0], lease=1))
    first = state(tenant, run_id)[1][0]
    assert_has(first, done=3, total=9)
    assert first.lease_until is not None
    assert first.lease_until > datetime.now(UTC) + timedelta(seconds=30)


def test_a_lease_that_lives_is_left_alone(tenant: Tenant) -> None:
    taken(tenant, begin(tenant), KEYS[0])
    assert return_expired() == 0


def test_an_expired_step_can_be_taken_again(tenant: Tenant) -> None:
    run_id = begin(tenant)
    taken(tenant, run_id, KEYS[0])
    expire(tenant, run_id)
    return_expired()
    assert taken(tenant, run_id, KEYS[0]).attempt == 2


def test_a_step_that_dies_every_time_fails_at_last(tenant: Tenant) -> None:
    run_id = begin(tenant)
    for _ in range(BY_KEY[KEYS[0]].most_attempts):
        taken(tenant, run_id, KEYS[0])
        expire(tenant, run_id)
        return_expired()
    run, rows = state(tenant, run_id)
    assert_has(run, status=RunStatus.FAILED, code="step_died")
    assert rows[0].colour == "red"


def test_expired_steps_return_once_for_many_ticks(app: Flask, tenant: Tenant) -> None:
    run_id = begin(tenant)
    taken(tenant, run_id, KEYS[0])
    expire(tenant, run_id)
    assert sum(at_once(app, tenant, 6, lambda _: return_expired())) == 1


def test_a_job_that_was_enqueued_a_moment_ago_is_not_enqueued_again(tenant: Tenant) -> None:
    begin(tenant)
    assert due(quiet=30) == []
    assert due(quiet=0) == [KEYS[0]]


def test_jobs_are_enqueued_once_for_many_ticks(app: Flask, tenant: Tenant, other_tenant: Tenant) -> None:
    for one in (tenant, other_tenant):
        run_id = begin(one)
        with tenant_scope(one.id):
            runs.steps_of(run_id)[0].enqueued_at = None
            db.session.commit()
    enqueued = at_once(app, tenant, 6, lambda _: due(quiet=30))
    assert sum(map(len, enqueued)) == 2


def test_no_job_rings_for_a_step_that_waits_or_for_a_closed_run(tenant: Tenant, other_tenant: Tenant) -> None:
    waiting, closed = begin(tenant), begin(other_tenant)
    with tenant_scope(tenant.id):
        steps.try_again(taken(tenant, waiting, KEYS[0]), "busy", "{}", 60)
    with tenant_scope(other_tenant.id):
        run = runs.find(closed)
        assert run is not None
        run.status = RunStatus.CANCELLED
        db.session.commit()
    assert due() == []


def test_the_tries_of_a_step_are_limited() -> None:
    for plan in PLAN:
        pauses = [steps.next_pause(plan.key, attempt) for attempt in range(1, plan.most_attempts + 1)]
        assert pauses == [*plan.waits, None]


def test_when_a_waiting_step_is_due_is_known(tenant: Tenant) -> None:
    run_id = begin(tenant)
    with tenant_scope(tenant.id):
        steps.try_again(taken(tenant, run_id, KEYS[0]), "busy", "{}", 600)
        at = db.session.execute(select(JobStep.ready_at).where(JobStep.status == "ready")).scalar_one()
    assert at is not None
    assert timedelta(seconds=590) < at - datetime.now(UTC) <= timedelta(seconds=600)
