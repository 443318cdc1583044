from __future__ import annotations

import json
import logging
import os
import pickle
import re
import sys
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer
from rq_scheduler import Scheduler

from synkro.infra import log as logs
from synkro.infra import queue
from synkro.jobs.connections import checks, trials
from synkro.jobs.engine import jobs, tick
from synkro.jobs.engine.scheduler import ENTRY, Clock
from synkro.jobs.engine.worker import Worker
from synkro.jobs.mail import letters as post
from synkro.jobs.reports import runtime
from synkro.models import Tenant
from synkro.models.plan import PLAN
from synkro.services.reports import runs
from synkro.tenancy import tenant_scope
from synkro.version import __version__
from tests.support.having import assert_has

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


def test_a_job_is_json_with_ids_only(store: Redis, tenant: Tenant) -> None:
    run_id = uuid.uuid4()
    with tenant_scope(tenant.id):
        runs.enqueue(tenant.id, run_id, PLAN[0].key)
    (key,) = store.scan_iter("rq:job:*", _type="hash")
    name, instance, ids, named = call_of(store, key)
    assert name == "step"
    assert instance is None
    assert named == {}
    assert ids == [str(tenant.id), str(run_id), PLAN[0].key]
    assert json.loads(store.hget(key, "meta") or b"") == {"request_id": "", "release": __version__}  # type: ignore[arg-type]


def test_the_clock_rings_in_json_too(app: Flask, store: Redis) -> None:
    Clock()._turn()
    assert call_of(store, b"rq:job:tick")[0] == "tick"


def test_the_names_of_jobs_are_settled() -> None:
    """They lie in Redis while one release replaces another: a name that changes needs a line in FORMER."""
    assert set(jobs.JOBS) == {"tick", "step", "check", "trial", "letter", "tell"}


def test_whatever_is_enqueued_is_known_to_the_worker() -> None:
    """A new job that nobody added to JOBS would be refused at work."""
    folder = Path(queue.__file__).parents[1]
    named = set()
    for path in folder.rglob("*.py"):
        module = ".".join(("synkro", *path.relative_to(folder).with_suffix("").parts))
        for name in re.findall(r"queue\.enqueue\(\s*redis\(\),\s*queue\.\w+,\s*([\w.]+)", path.read_text()):
            named.add(attrgetter(name)(import_module(module)))
    assert named | {tick.TICK} == set(jobs.JOBS)


# ---- names of other releases


FORMER = {
    "synkro.jobs.tick.tick": tick.tick,
    "synkro.jobs.runtime.work": runtime.work,
    "synkro.jobs.checks.check": checks.check,
    "synkro.jobs.checks.tell": checks.tell,
    "synkro.jobs.trials.try_out": trials.try_out,
    "synkro.jobs.post.send": post.send,
}


@pytest.mark.parametrize("name", FORMER)
def test_a_name_of_the_last_release_is_still_called(store: Redis, name: str) -> None:
    plant(store, data=call(name))
    job = jobs.KnownJob.fetch("planted", connection=store, serializer=JSONSerializer)
    assert jobs.fault_of(job) == ""
    assert job.func is FORMER[name]


def newer(name: str = "forecast", **meta: object) -> dict[str, bytes | str]:
    return {"data": call(name), "meta": json.dumps({"release": "99.0.0", **meta})}


def test_an_unknown_job_of_a_newer_release_is_gone(store: Redis) -> None:
    plant(store, **newer())
    drain(store)
    assert not list(store.scan_iter("rq:job:*"))


def test_an_unknown_job_of_a_newer_release_is_no_failure(store: Redis) -> None:
    plant(store, **newer())
    drain(store)
    assert store.zcard(f"rq:failed:{queue.STEPS}") == 0


def test_an_unknown_job_of_a_newer_release_is_in_no_list(store: Redis) -> None:
    plant(store, **newer())
    drain(store)
    assert store.llen(f"rq:queue:{queue.STEPS}:intermediate") == 0


def test_an_unknown_job_of_a_newer_release_is_told_of(store: Redis, caplog: pytest.LogCaptureFixture) -> None:
    plant(store, **newer())
    drain(store)
    assert "job left to a newer release" in [one.message for one in caplog.records]


def test_nothing_of_a_newer_release_is_imported(store: Redis, mark: Path, trap: str) -> None:
    plant(store, **newer(trap), success_callback_name=trap, failure_callback_name=trap)
    drain(store)
    assert not mark.exists()


@pytest.mark.parametrize("meta", [{}, {"release": __version__}, {"release": "0.9.0"}, {"release": ["99.0"]}, ["99.0"]])
def test_an_unknown_job_of_no_newer_release_is_refused(store: Redis, meta: object) -> None:
    plant(store, data=call("forecast"), meta=json.dumps(meta))
    drain(store)
    assert list(store.zrange(f"rq:failed:{queue.STEPS}", 0, -1)) == [b"planted"]  # type: ignore[arg-type]


# ---- what is no job of ours


@pytest.fixture
def trap(tmp_path: Path, mark: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The path of a function in a module that leaves a mark as soon as somebody imports it."""
    (tmp_path / "planted_module.py").write_text(f"open({str(mark)!r}, 'w').close()\ndef run(*_args): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "planted_module.run"
    sys.modules.pop("planted_module", None)


def call(name: object, instance: object = None) -> bytes:
    return bytes(JSONSerializer.dumps((name, instance, [], {})))


STRANGE: dict[str, tuple[str, Callable[[str], dict[str, bytes | str]]]] = {
    "another function": ("job_unknown", lambda trap: {"data": call(trap)}),
    "no name": ("job_unknown", lambda _: {"data": call(["tick"])}),
    "an instance": ("job_unknown", lambda _: {"data": call("tick", "text")}),
    "a method": ("job_unknown", lambda _: {"data": call("upper", "text")}),
    "after success": ("job_extras", lambda trap: {"data": call(runs.WORK), "success_callback_name": trap}),
    "after failure": ("job_extras", lambda trap: {"data": call(runs.WORK), "failure_callback_name": trap}),
    "after a stop": ("job_extras", lambda trap: {"data": call(runs.WORK), "stopped_callback_name": trap}),
    "another job before": ("job_extras", lambda _: {"data": call(runs.WORK), "dependency_ids": '["other"]'}),
    "many tries": ("job_extras", lambda _: {"data": call(runs.WORK), "retries_left": "9"}),
    "once more": ("job_extras", lambda _: {"data": call(runs.WORK), "repeats_left": "9"}),
    "a call to an address": (
        "job_extras",
        lambda _: {"data": call(runs.WORK), "webhooks": '[{"job_status": "failed", "url": "http://127.0.0.1:1"}]'},
    ),
    "no JSON": ("job_unreadable", lambda _: {"data": b"\x80\x04cos\nsystem\n."}),
    "three of four parts": ("job_unreadable", lambda _: {"data": b'["tick", null, []]'}),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_no_job_of_ours_is_failed_and_imports_nothing(
    store: Redis, mark: Path, trap: str, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    code, parts = STRANGE[kind]
    plant(store, **parts(trap))
    drain(store)
    said = [one.fields["code"] for one in caplog.records if one.message == "job refused"]  # type: ignore[attr-defined]
    assert not mark.exists()
    assert said == [code]
    assert list(store.zrange(f"rq:failed:{queue.STEPS}", 0, -1)) == [b"planted"]  # type: ignore[arg-type]
    assert store.llen(f"rq:queue:{queue.STEPS}:intermediate") == 0


def test_a_refused_job_that_is_put_back_is_refused_again(store: Redis, mark: Path, trap: str) -> None:
    """Who may press that button in the dashboard has not read the job."""
    plant(store, data=call(trap))
    drain(store)
    queue.queue(queue.STEPS, store).failed_job_registry.requeue("planted")
    drain(store)
    assert not mark.exists()


@pytest.mark.parametrize("who", ["worker", "dashboard"])
def test_tidying_up_imports_nothing(store: Redis, mark: Path, trap: str, who: str) -> None:
    plant(store, data=call(runs.WORK), failure_callback_name=trap)
    store.delete(f"rq:queue:{queue.STEPS}")
    store.zadd(f"rq:wip:{queue.STEPS}", {"planted:execution": 1})
    if who == "worker":
        drain(store)
    else:
        queue.queue(queue.STEPS, store).started_job_registry.get_job_ids()
    assert not mark.exists()
    assert list(store.zrange(f"rq:failed:{queue.STEPS}", 0, -1)) == [b"planted"]  # type: ignore[arg-type]


def test_the_clock_imports_nothing(app: Flask, store: Redis, mark: Path, trap: str) -> None:
    clock = Clock()
    clock._turn()
    queue.queue(queue.TICK, store).empty()
    data = call("tick")
    for name in (ENTRY, "planted"):
        store.hset(f"rq:job:{name}", mapping={"data": data, "meta": json.dumps({"queue_class_name": trap})})
        store.zadd(Scheduler.scheduled_jobs_key, {name: 0})
    clock._turn()
    assert not mark.exists()


def test_rq_by_itself_runs_nothing(store: Redis, mark: Path, trap: str) -> None:
    """Whoever fetches a job in whatever process."""
    plant(store, data=call(trap), success_callback_name=trap)
    job = Job.fetch("planted", connection=store, serializer=JSONSerializer)
    assert_has(job, func=None, success_callback=None)
    assert not mark.exists()


def test_ringing_without_redis_says_so() -> None:
    away = Redis.from_url(AWAY, socket_connect_timeout=1)
    assert queue.enqueue(away, queue.STEPS, runs.WORK, uuid.uuid4(), seconds=1) is False


def test_ringing_with_redis_says_so(store: Redis) -> None:
    assert queue.enqueue(store, queue.STEPS, runs.WORK, uuid.uuid4(), seconds=1) is True


heard: list[tuple[str, str | None]] = []


def listen(word: str) -> None:
    heard.append((word, queue.request_id_of_job()))


@pytest.mark.parametrize("request_id", ["of-the-request", ""])
def test_one_id_joins_the_web_and_the_worker(store: Redis, monkeypatch: pytest.MonkeyPatch, request_id: str) -> None:
    monkeypatch.setitem(jobs.JOBS, "listen", listen)
    heard.clear()
    logs.unbind()
    logs.bind(request_id=request_id)
    queue.enqueue(store, queue.STEPS, "listen", "word", seconds=5)
    logs.unbind()
    drain(store)
    assert heard == [("word", request_id or None)]


def test_outside_of_a_job_nobody_rang() -> None:
    assert queue.request_id_of_job() is None


def test_a_done_job_leaves_nothing_in_redis(store: Redis, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        runs.enqueue(tenant.id, uuid.uuid4(), PLAN[0].key)
    drain(store)
    assert not list(store.scan_iter("rq:job:*"))


def test_a_job_has_a_time_limit(store: Redis, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        runs.enqueue(tenant.id, uuid.uuid4(), PLAN[0].key)
    (key,) = store.scan_iter("rq:job:*", _type="hash")
    job = Job.fetch(key.decode().removeprefix("rq:job:"), connection=store, serializer=JSONSerializer)
    assert job.timeout == PLAN[0].limit.total_seconds()
