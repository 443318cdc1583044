"""A trial that no worker has taken up is enqueued again, until it is given up."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from redis import Redis

from synkro.extensions import remember, settings, vault
from synkro.infra import clock, queue
from synkro.integrations.base import SAMPLE, Act
from synkro.jobs.engine import tick
from synkro.models import Tenant
from synkro.services.connections import trials
from synkro.services.operations import health
from synkro.tenancy import tenant_scope
from tests.conftest import redis_away


@pytest.fixture
def trial_id(tenant: Tenant, store: Redis) -> uuid.UUID:
    """Asked for now; its job is lost."""
    with tenant_scope(tenant.id):
        trial_id = trials.request("amocrm", SAMPLE).id
    store.flushdb()
    return trial_id


def ticked_after(seconds: int, times: int = 1) -> None:
    with time_machine.travel(clock.now() + timedelta(seconds=seconds)):
        for _ in range(times):
            tick.tick()


def queue_state(store: Redis) -> list[str]:
    return [job.args[1] for job in queue.queue(queue.TRIALS, store).jobs]


def test_a_lost_job_is_enqueued_again(trial_id: uuid.UUID, store: Redis) -> None:
    ticked_after(trials.AGAIN_SECONDS + 1)
    assert queue_state(store) == [str(trial_id)]


def test_a_job_of_a_moment_ago_is_left_alone(trial_id: uuid.UUID, store: Redis) -> None:
    ticked_after(trials.AGAIN_SECONDS - 5)
    assert queue_state(store) == []


def test_the_next_tick_waits_before_it_rings_once_more(trial_id: uuid.UUID, store: Redis) -> None:
    ticked_after(trials.AGAIN_SECONDS + 1, times=3)
    assert queue_state(store) == [str(trial_id)]


def test_one_that_is_given_up_is_not_enqueued(trial_id: uuid.UUID, store: Redis) -> None:
    ticked_after(trials.WAITING_SECONDS + 1)
    assert queue_state(store) == []


def test_one_that_a_worker_has_begun_is_not_enqueued(tenant: Tenant, trial_id: uuid.UUID, store: Redis) -> None:
    with tenant_scope(tenant.id):
        trials.begin(trial_id)
    ticked_after(trials.AGAIN_SECONDS + 1)
    assert queue_state(store) == []


def test_a_tick_rings_for_no_more_than_it_may(
    trial_id: uuid.UUID, store: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "MOST_AGAIN", 0)
    ticked_after(trials.AGAIN_SECONDS + 1)
    assert queue_state(store) == []


def test_the_time_limit_is_that_of_the_act(trial_id: uuid.UUID, store: Redis) -> None:
    ticked_after(trials.AGAIN_SECONDS + 1)
    (job,) = queue.queue(queue.TRIALS, store).jobs
    assert job.timeout == Act(SAMPLE).seconds


def test_a_redis_that_is_away_is_no_failed_duty(app: Flask, trial_id: uuid.UUID) -> None:
    remember(app, settings(), vault(), redis_away())
    ticked_after(trials.AGAIN_SECONDS + 1)
    assert health.undone() == []
