"""The clock: one entry in Redis, put back when it is lost, and one tick at a time on its queue."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis
from rq_scheduler import Scheduler

from synkro.embedded.folders import Folders
from synkro.embedded.valkey import Valkey
from synkro.extensions import redis, remember, settings, vault
from synkro.infra import queue, stores
from synkro.jobs.engine import scheduler
from synkro.jobs.engine.scheduler import ENTRY, Clock
from synkro.jobs.engine.worker import work_on
from synkro.services.operations import health
from synkro.tenancy import db
from tests.support import leftovers

ENTRIES = Scheduler.scheduled_jobs_key


@pytest.fixture
def clock(app: Flask) -> Clock:
    return Clock()


def entries(store: Redis) -> list[bytes]:
    return list(store.zrange(ENTRIES, 0, -1))  # type: ignore[arg-type]


def waiting(store: Redis) -> int:
    return int(queue.queue(queue.TICK, store).count)


def test_the_entry_is_made_and_its_first_tick_enqueued(clock: Clock, store: Redis) -> None:
    clock._turn()
    assert entries(store) == [ENTRY.encode()]
    assert waiting(store) == 1


def test_an_emptied_redis_gets_its_entry_back(clock: Clock, store: Redis) -> None:
    clock._turn()
    store.flushdb()
    clock._turn()
    assert entries(store) == [ENTRY.encode()]
    assert waiting(store) == 1


def test_many_clocks_keep_one_entry_and_one_tick(app: Flask, store: Redis) -> None:
    for clock in (Clock(), Clock(), Clock()):
        clock._turn()
        clock._turn()
    assert len(entries(store)) == 1
    assert waiting(store) == 1


def test_ticks_do_not_pile_up_without_a_worker(clock: Clock, store: Redis) -> None:
    clock._turn()
    for _ in range(5):
        store.zadd(ENTRIES, {ENTRY: 0})
        clock._turn()
    assert waiting(store) == 1


def test_an_entry_whose_job_is_gone_is_made_anew(clock: Clock, store: Redis) -> None:
    clock._turn()
    queue.queue(queue.TICK, store).empty()
    store.zadd(ENTRIES, {ENTRY: 0})
    store.delete(f"rq:job:{ENTRY}")
    clock._turn()
    clock._turn()
    assert entries(store) == [ENTRY.encode()]
    assert waiting(store) == 1


def test_the_entry_is_json_and_names_the_tick(clock: Clock, store: Redis) -> None:
    clock._turn()
    data = store.hget(f"rq:job:{ENTRY}", "data")
    assert json.loads(zlib.decompress(data)) == ["tick", None, [], {}]  # type: ignore[arg-type]


@pytest.fixture
def former_entry(store: Redis, clock: Clock) -> None:
    """As release 1.0 leaves it."""
    clock._scheduler.schedule(datetime.now(UTC), "synkro.jobs.tick.tick", interval=10, id=ENTRY, timeout=120)


@pytest.mark.usefixtures("former_entry")
def test_an_entry_of_the_last_release_still_ticks(app: Flask, clock: Clock) -> None:
    clock._scheduler.enqueue_jobs()
    work_on(app, queue.TICK, burst=True)
    assert health.last_tick() is not None


@pytest.mark.usefixtures("former_entry")
def test_an_entry_of_the_last_release_is_renamed(clock: Clock, store: Redis) -> None:
    clock._turn()
    data = store.hget(f"rq:job:{ENTRY}", "data")
    assert json.loads(zlib.decompress(data))[0] == "tick"  # type: ignore[arg-type]


@pytest.mark.usefixtures("former_entry")
def test_an_entry_of_the_last_release_is_not_doubled(clock: Clock, store: Redis) -> None:
    clock._turn()
    assert entries(store) == [ENTRY.encode()]


def test_the_worker_of_the_tick_queue_ticks(app: Flask, clock: Clock, store: Redis) -> None:
    clock._turn()
    work_on(app, queue.TICK, burst=True)
    assert health.last_tick() is not None


def test_the_entry_lives_on_after_its_ticks(app: Flask, clock: Clock, store: Redis) -> None:
    for _ in range(3):
        clock._turn()
        work_on(app, queue.TICK, burst=True)
        store.zadd(ENTRIES, {ENTRY: 0})
    clock._turn()
    assert entries(store) == [ENTRY.encode()]
    assert waiting(store) == 1


def test_the_next_tick_comes_after_its_interval(clock: Clock, store: Redis) -> None:
    before = int(time.time())
    clock._turn()
    due = store.zscore(ENTRIES, ENTRY)
    assert isinstance(due, float)
    assert before <= due - settings().tick_seconds <= time.time()


@pytest.fixture
def own_valkey(app: Flask) -> Iterator[Valkey]:
    with tempfile.TemporaryDirectory(dir=leftovers.folder()) as folder:
        Path(folder).chmod(0o755)
        valkey = Valkey(Folders.of(Path(folder)))
        valkey.ensure(False)
        remember(app, settings(), vault(), stores.redis_client(replace(settings(), redis_url=valkey.url)))
        yield valkey
        redis().close()
        valkey.stop()


def test_a_redis_that_goes_away_does_not_end_the_clock(app: Flask, own_valkey: Valkey) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            db.engine.dispose(close=False)
            scheduler.run(app)
        finally:
            os._exit(0)
    try:
        wait_for_entry()
        own_valkey.stop()
        time.sleep(1)
        own_valkey.ensure(False)
        redis().flushdb()
        wait_for_entry()
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    finally:
        os.kill(pid, signal.SIGTERM)
        ended = os.waitpid(pid, 0)[1]
    assert ended == 0


def wait_for_entry() -> None:
    until = time.monotonic() + 120
    while not redis().exists(ENTRIES):
        assert time.monotonic() < until, "no entry"
        time.sleep(0.1)
