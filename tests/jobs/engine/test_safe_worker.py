"""The books that our worker keeps in Redis: fewer words than RQ's own, the same content."""

from __future__ import annotations

import uuid

import pytest
from redis import Redis
from rq import get_current_job
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.timeouts import JobTimeoutException

from synkro.infra import queue
from synkro.jobs.engine import jobs
from synkro.jobs.engine.worker import Worker
from synkro.services.reports import runs
from tests.support.having import assert_entries

seen: dict[str, object] = {}


def look(*_ids: str) -> None:
    """Stands in for the work of a step: notes what Redis says while it runs."""
    job = get_current_job()
    assert job is not None
    registry = StartedJobRegistry(queue.STEPS, connection=job.connection)
    seen.update(started=registry.get_job_ids(cleanup=False), job=job.id, status=job.get_status(refresh=True))
    [worker] = Worker.all(connection=job.connection)
    seen.update(state=worker.get_state(), current=worker.get_current_job_id(), ttl=job.connection.ttl(worker.key))


def too_long(*_ids: str) -> None:
    raise JobTimeoutException


def drain(store: Redis) -> Worker:
    worker = Worker([queue.queue(queue.STEPS, store)], connection=store, serializer=queue.JSONSerializer)
    worker.work(burst=True, logging_level="ERROR")
    return worker


def enqueue(store: Redis, times: int = 1) -> None:
    for _ in range(times):
        assert queue.enqueue(store, queue.STEPS, runs.WORK, uuid.uuid4(), uuid.uuid4(), "analyse", seconds=30)


def leftovers(store: Redis) -> set[str]:
    """Keys of jobs, executions and queues; not those of workers and of the names of queues."""
    names = {key.decode() for key in store.keys("rq:*")}
    return {name for name in names if not name.startswith(("rq:worker", "rq:queues", "rq:clean_registries"))}


def test_nothing_of_a_done_job_stays_in_redis(store: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(jobs.JOBS, runs.WORK, look)
    enqueue(store, times=3)
    drain(store)
    assert leftovers(store) == set()


def test_a_job_at_work_stands_in_the_registry_and_at_its_worker(store: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(jobs.JOBS, runs.WORK, look)
    enqueue(store)
    drain(store)
    assert seen["started"] == [seen["job"]]
    assert_entries(seen, status="started", state="busy", current=seen["job"])


def test_a_short_job_does_not_shorten_the_life_of_the_workers_entry(
    store: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker then waits for the next job for minutes without a beat."""
    monkeypatch.setitem(jobs.JOBS, runs.WORK, look)
    enqueue(store)
    worker = drain(store)
    assert isinstance(seen["ttl"], int)
    assert seen["ttl"] > worker.dequeue_timeout


def test_a_job_that_breaks_goes_to_the_failed_ones(store: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(jobs.JOBS, runs.WORK, too_long)
    enqueue(store)
    drain(store)
    assert FailedJobRegistry(queue.STEPS, connection=store, serializer=queue.JSONSerializer).count == 1
    assert StartedJobRegistry(queue.STEPS, connection=store, serializer=queue.JSONSerializer).count == 0


def test_the_jobs_are_counted(store: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(jobs.JOBS, runs.WORK, look)
    enqueue(store, times=2)
    assert store.hget(drain(store).key, "successful_job_count") == b"2"
