"""Steps that only a newer release knows, while both are at work: they are left to it, and hold nobody up."""

from __future__ import annotations

import uuid

import pytest
from redis import Redis

from synkro.infra import queue
from synkro.jobs.engine import tick
from synkro.jobs.reports import runtime
from synkro.models import Tenant
from synkro.models.states import RunStatus
from synkro.services.reports import artifacts, runs, steps
from synkro.tenancy import db, tenant_scope
from tests.support.runs_by_hand import KEYS, begin, expire, failed, state, statuses, taken

NEWER = "follow_up"


@pytest.fixture
def run_id(tenant: Tenant) -> uuid.UUID:
    """Its first step, which is due since long ago, is unknown here."""
    run_id = begin(tenant)
    rename(tenant, run_id, 1)
    return run_id


@pytest.fixture
def other_run_id(other_tenant: Tenant, run_id: uuid.UUID) -> uuid.UUID:
    return begin(other_tenant)


def rename(tenant: Tenant, run_id: uuid.UUID, n: int) -> None:
    with tenant_scope(tenant.id):
        runs.steps_of(run_id)[n - 1].key = NEWER
        db.session.commit()


def forget_jobs(tenant: Tenant, run_id: uuid.UUID) -> None:
    with tenant_scope(tenant.id):
        runs.steps_of(run_id)[0].enqueued_at = None
        db.session.commit()


def held_by_a_dead_worker(tenant: Tenant, run_id: uuid.UUID) -> None:
    with tenant_scope(tenant.id):
        runs.steps_of(run_id)[0].key = KEYS[0]
        db.session.commit()
    taken(tenant, run_id, KEYS[0])
    expire(tenant, run_id)
    rename(tenant, run_id, 1)


def queue_state(store: Redis) -> list[list[str]]:
    return [job.args for job in queue.queue(queue.STEPS, store).jobs]


def test_an_unknown_step_is_not_claimed(tenant: Tenant, run_id: uuid.UUID) -> None:
    with tenant_scope(tenant.id):
        assert steps.claim(run_id, NEWER, 60) is None
    assert statuses(tenant, run_id)[0] == "ready"


def test_a_worker_leaves_an_unknown_step_as_it_is(tenant: Tenant, run_id: uuid.UUID) -> None:
    runtime.work(str(tenant.id), str(run_id), NEWER)
    assert statuses(tenant, run_id)[0] == "ready"


def test_an_unknown_step_is_not_enqueued(tenant: Tenant, run_id: uuid.UUID, store: Redis) -> None:
    forget_jobs(tenant, run_id)
    store.flushdb()
    tick.tick()
    assert queue_state(store) == []


def test_an_unknown_step_stays_due_for_a_newer_tick(tenant: Tenant, run_id: uuid.UUID) -> None:
    forget_jobs(tenant, run_id)
    tick.tick()
    assert state(tenant, run_id)[1][0].enqueued_at is None


def test_others_are_enqueued_beside_an_unknown_step(
    tenant: Tenant, run_id: uuid.UUID, other_tenant: Tenant, other_run_id: uuid.UUID, store: Redis
) -> None:
    forget_jobs(tenant, run_id)
    forget_jobs(other_tenant, other_run_id)
    store.flushdb()
    tick.tick()
    assert queue_state(store) == [[str(other_tenant.id), str(other_run_id), KEYS[0]]]


def test_an_expired_unknown_step_is_left_to_a_newer_tick(tenant: Tenant, run_id: uuid.UUID) -> None:
    held_by_a_dead_worker(tenant, run_id)
    tick.tick()
    assert statuses(tenant, run_id)[0] == "running"


def test_others_return_beside_an_expired_unknown_step(
    tenant: Tenant, run_id: uuid.UUID, other_tenant: Tenant, other_run_id: uuid.UUID
) -> None:
    held_by_a_dead_worker(tenant, run_id)
    taken(other_tenant, other_run_id, KEYS[0])
    expire(other_tenant, other_run_id)
    tick.tick()
    assert statuses(other_tenant, other_run_id)[0] == "ready"


def test_a_step_before_an_unknown_one_comes_to_its_end(tenant: Tenant) -> None:
    run_id = begin(tenant)
    rename(tenant, run_id, 2)
    with tenant_scope(tenant.id):
        following = steps.finish(taken(tenant, run_id, KEYS[0]), "green", None, "{}", 0, None)
        assert following is not None
        runs.enqueue(tenant.id, run_id, following)
    assert statuses(tenant, run_id)[:2] == ["done", "ready"]


def test_a_run_is_continued_from_an_unknown_step(tenant: Tenant) -> None:
    run_id = begin(tenant)
    failed(tenant, run_id, KEYS[0])
    rename(tenant, run_id, 1)
    with tenant_scope(tenant.id):
        run = runs.find(run_id)
        assert run is not None
        artifacts.put(run_id, artifacts.DIRECTORY, 0, [], {})
        runs.resume(run)
    assert state(tenant, run_id)[0].status == RunStatus.QUEUED
