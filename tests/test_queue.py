from __future__ import annotations

import json
import logging
import os
import pickle
import uuid
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer

from synkro import log as logs
from synkro import queue
from synkro.jobs import runtime
from synkro.jobs.scheduler import Clock
from synkro.jobs.worker import Worker
from synkro.models import Tenant
from synkro.models.plan import PLAN
from synkro.services.reporting import runs
from synkro.tenancy import tenant_scope

AWAY = "redis://127.0.0.1:1"


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.mark),)


def drain(store: Redis) -> Worker:
    worker = Worker(
        [queue.queue(queue.STEPS, store)], connection=store, serializer=JSONSerializer, log_job_description=False
    )
    worker.work(burst=True, logging_level="CRITICAL")
    return worker


def plant(store: Redis, **parts: bytes | str) -> None:
    """A job that somebody wrote into Redis by hand."""
    job = {
        "created_at": "2026-11-21T00:00:00.000000Z",
        "origin": queue.STEPS,
        "status": "queued",
        "timeout": 10,
        **parts,
    }
    store.sadd("rq:queues", f"rq:queue:{queue.STEPS}")
    store.hset("rq:job:planted", mapping=job)  # type: ignore[arg-type]
    store.rpush(f"rq:queue:{queue.STEPS}", "planted")


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "mark"


@pytest.fixture
def evil(mark: Path) -> bytes:
    """Proven to work where pickles are read."""
    data = pickle.dumps(Evil(mark))
    pickle.loads(data)  # noqa: S301
    mark.rmdir()
    return data


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """rq tells of broken jobs at length."""
    names = ("rq.worker", "rq.job", "rq.queue")
    for name in names:
        logging.getLogger(name).disabled = True
    yield
    for name in names:
        logging.getLogger(name).disabled = False


@pytest.mark.parametrize("compressed", [True, False])
def test_a_planted_pickle_is_not_read_as_the_call(store: Redis, mark: Path, evil: bytes, compressed: bool) -> None:
    plant(store, data=zlib.compress(evil) if compressed else evil)
    drain(store)
    assert not mark.exists()
    assert store.llen(f"rq:queue:{queue.STEPS}") == 0


@pytest.mark.parametrize("part", ["meta", "result"])
def test_a_planted_pickle_is_not_read_as_anything_else(store: Redis, mark: Path, evil: bytes, part: str) -> None:
    data = JSONSerializer.dumps((runs.WORK, None, [str(uuid.uuid4()), str(uuid.uuid4()), "analyse"], {}))
    plant(store, data=zlib.compress(data), **{part: evil})
    # the process may end: its parent starts another, and the job is out of the queue
    with suppress(ValueError):
        drain(store)
    assert not mark.exists()
    assert store.llen(f"rq:queue:{queue.STEPS}") == 0


def call_of(store: Redis, key: bytes) -> Any:
    return json.loads(zlib.decompress(store.hget(key, "data") or b""))  # type: ignore[arg-type]


def test_a_doorbell_is_json_with_ids_only(store: Redis, tenant: Tenant) -> None:
    run_id = uuid.uuid4()
    with tenant_scope(tenant.id):
        runs.ring(tenant.id, run_id, PLAN[0].key)
    (key,) = store.scan_iter("rq:job:*", _type="hash")
    name, instance, ids, named = call_of(store, key)
    assert (name, instance, named) == ("synkro.jobs.runtime.work", None, {})
    assert ids == [str(tenant.id), str(run_id), PLAN[0].key]
    assert json.loads(store.hget(key, "meta") or b"") == {"request_id": ""}  # type: ignore[arg-type]


def test_the_clock_rings_in_json_too(app: Flask, store: Redis) -> None:
    Clock()._turn()
    assert call_of(store, b"rq:job:tick")[0] == "synkro.jobs.tick.tick"


def test_the_names_of_jobs_are_those_of_functions() -> None:
    assert f"{runtime.work.__module__}.{runtime.work.__name__}" == runs.WORK


def test_ringing_without_redis_says_so() -> None:
    away = Redis.from_url(AWAY, socket_connect_timeout=1)
    assert queue.ring(away, queue.STEPS, runs.WORK, uuid.uuid4(), seconds=1) is False


def test_ringing_with_redis_says_so(store: Redis) -> None:
    assert queue.ring(store, queue.STEPS, runs.WORK, uuid.uuid4(), seconds=1) is True


heard: list[tuple[str, str | None]] = []


def listen(word: str) -> None:
    heard.append((word, queue.rung_by()))


@pytest.mark.parametrize("request_id", ["of-the-request", ""])
def test_one_id_joins_the_web_and_the_worker(store: Redis, request_id: str) -> None:
    heard.clear()
    logs.unbind()
    logs.bind(request_id=request_id)
    queue.ring(store, queue.STEPS, "tests.test_queue.listen", "word", seconds=5)
    logs.unbind()
    drain(store)
    assert heard == [("word", request_id or None)]


def test_outside_of_a_job_nobody_rang() -> None:
    assert queue.rung_by() is None


def test_a_done_doorbell_leaves_nothing_in_redis(store: Redis, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        runs.ring(tenant.id, uuid.uuid4(), PLAN[0].key)
    drain(store)
    assert not list(store.scan_iter("rq:job:*"))


def test_a_job_has_a_time_limit(store: Redis, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        runs.ring(tenant.id, uuid.uuid4(), PLAN[0].key)
    (key,) = store.scan_iter("rq:job:*", _type="hash")
    job = Job.fetch(key.decode().removeprefix("rq:job:"), connection=store, serializer=JSONSerializer)
    assert job.timeout == PLAN[0].limit.total_seconds()
