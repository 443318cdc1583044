from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import func, select, update

from synkro.infra import queue
from synkro.jobs.engine import tick
from synkro.models import Artifact, Tenant
from synkro.models.plan import BY_KEY
from synkro.models.states import RunStatus
from synkro.services.operations import health
from synkro.services.reports import artifacts, runs, steps
from synkro.tenancy import db, tenant_scope
from tests.support.runs_by_hand import KEYS, at_once, begin, expire, state, statuses, taken

FIRST = KEYS[0]


def queue_state(store: Redis) -> list[str]:
    return [job.args[2] for job in queue.queue(queue.STEPS, store).jobs]


def enqueued_long_ago(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        run = runs.active()
        assert run is not None
        for step in runs.steps_of(run.id):
            step.enqueued_at = datetime.now(UTC) - timedelta(minutes=5)
        db.session.commit()


def test_a_step_of_a_dead_worker_is_enqueued_again(tenant: Tenant, store: Redis) -> None:
    run_id = begin(tenant)
    taken(tenant, run_id, FIRST)
    expire(tenant, run_id)
    store.flushdb()
    tick.tick()
    assert statuses(tenant, run_id)[0] == "ready"
    assert queue_state(store) == [str(FIRST)]


def test_a_lost_job_is_enqueued_again(tenant: Tenant, store: Redis) -> None:
    begin(tenant)
    store.flushdb()
    enqueued_long_ago(tenant)
    tick.tick()
    assert queue_state(store) == [str(FIRST)]


def test_a_job_of_a_moment_ago_is_left_alone(tenant: Tenant, store: Redis) -> None:
    begin(tenant)
    store.flushdb()
    tick.tick()
    assert queue_state(store) == []


def test_a_step_is_enqueued_when_its_pause_is_over(tenant: Tenant, store: Redis) -> None:
    run_id = begin(tenant)
    with tenant_scope(tenant.id):
        steps.try_again(taken(tenant, run_id, FIRST), "busy", "{}", 300)
    store.flushdb()
    tick.tick()
    assert queue_state(store) == []
    with tenant_scope(tenant.id):
        runs.steps_of(run_id)[0].ready_at = datetime.now(UTC)
        db.session.commit()
    tick.tick()
    assert queue_state(store) == [str(FIRST)]


def test_ticks_at_once_ring_once(app: Flask, tenant: Tenant, other_tenant: Tenant, store: Redis) -> None:
    for one in (tenant, other_tenant):
        begin(one)
        enqueued_long_ago(one)
    store.flushdb()
    at_once(app, tenant, 6, lambda _: tick.tick())
    assert queue_state(store) == [str(FIRST)] * 2


def test_ticks_at_once_count_a_dead_worker_once(app: Flask, tenant: Tenant) -> None:
    run_id = begin(tenant)
    for _ in range(BY_KEY[FIRST].most_attempts):
        taken(tenant, run_id, FIRST)
        expire(tenant, run_id)
        at_once(app, tenant, 4, lambda _: tick.tick())
    assert state(tenant, run_id)[0].code == "step_died"


@pytest.mark.parametrize("tries", [1, BY_KEY[FIRST].most_attempts])
def test_a_stopped_run_of_a_dead_worker_is_cancelled_and_not_failed(tenant: Tenant, tries: int) -> None:
    run_id = begin(tenant)
    for number in range(tries):
        taken(tenant, run_id, FIRST)
        expire(tenant, run_id)
        if number < tries - 1:
            tick.tick()
    with tenant_scope(tenant.id):
        run = runs.find(run_id)
        assert run is not None
        runs.stop(run)
    tick.tick()
    assert state(tenant, run_id)[0].status == RunStatus.CANCELLED
    assert set(statuses(tenant, run_id)) == {"cancelled"}


def test_a_stopped_run_whose_worker_lives_is_left_to_it(tenant: Tenant) -> None:
    run_id = begin(tenant)
    taken(tenant, run_id, FIRST)
    with tenant_scope(tenant.id):
        run = runs.find(run_id)
        assert run is not None
        runs.stop(run)
    tick.tick()
    assert state(tenant, run_id)[0].status == RunStatus.RUNNING


def test_old_pages_are_deleted(tenant: Tenant) -> None:
    run_id = begin(tenant)
    with tenant_scope(tenant.id):
        for seq in (0, 1):
            artifacts.put(run_id, "leads", seq, [1], {})
        db.session.execute(
            update(Artifact).where(Artifact.seq == 0).values(created_at=datetime.now(UTC) - timedelta(days=31))
        )
        db.session.commit()
    tick.tick()
    with tenant_scope(tenant.id):
        assert [page.seq for page in artifacts.pages(run_id, "leads")] == [1]
        assert db.session.execute(select(func.count()).select_from(Artifact)).scalar_one() == 1


def test_the_tick_leaves_its_mark(app: Flask) -> None:
    assert health.last_tick() is None
    tick.tick()
    at = health.last_tick()
    assert at is not None
    assert datetime.now(UTC) - at < timedelta(seconds=5)


def test_an_ended_run_is_left_in_peace(tenant: Tenant, store: Redis) -> None:
    run_id = begin(tenant)
    with tenant_scope(tenant.id):
        steps.fail(taken(tenant, run_id, FIRST), "busy", "{}")
    store.flushdb()
    before = statuses(tenant, run_id)
    tick.tick()
    assert statuses(tenant, run_id) == before
    assert queue_state(store) == []
