"""What may break around a run: workers, Redis, PostgreSQL. It goes on by itself, and nothing is done twice."""

from __future__ import annotations

import os
import signal
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis
from sqlalchemy import func, select

from synkro.embedded.folders import Folders
from synkro.embedded.valkey import Valkey
from synkro.extensions import redis, remember, settings, vault
from synkro.infra import queue, stores
from synkro.integrations.http.calls import HttpAnswer
from synkro.integrations.http.client import HttpConnection
from synkro.jobs.engine import tick
from synkro.jobs.engine.worker import work_on
from synkro.jobs.reports import duties, runtime
from synkro.jobs.reports.step import Ctx
from synkro.models import AiCall
from synkro.models.plan import PLAN, StepKey
from synkro.models.states import RunStatus
from synkro.services.reports import runs
from synkro.tenancy import db, tenant_scope
from tests.support import leftovers
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.runs_by_hand import KEYS

TERMINATE = """select count(pg_terminate_backend(pid)) from pg_stat_activity
                where datname = 'synkro' and usename <> 'postgres' and pid <> pg_backend_pid()"""


@pytest.fixture(autouse=True)
def impatient(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(practice.app, replace(settings(), lease_seconds=1), vault(), redis())
    monkeypatch.setattr(duties, "QUIET_SECONDS", 0)


_children: list[int] = []


@pytest.fixture(autouse=True)
def no_child_is_left() -> Iterator[None]:
    """A worker that outlives a failed test would keep the engines alive."""
    yield
    while _children:
        with suppress(ChildProcessError, ProcessLookupError):
            killed(_children.pop())


def forked(work: Callable[[], Any]) -> int:
    """The pid of a child that does the work and ends."""
    pid = os.fork()
    if pid == 0:
        try:
            db.engine.dispose(close=False)
            work()
        finally:
            os._exit(0)
    _children.append(pid)
    return pid


def ended(pid: int, seconds: float) -> bool:
    """Whether the child ends in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if os.waitpid(pid, os.WNOHANG)[0]:
            _children.remove(pid)
            return True
        time.sleep(0.02)
    return False


def killed(pid: int) -> None:
    if pid in _children:
        _children.remove(pid)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def until(practice: Practice, run_id: uuid.UUID, reached: Callable[[], bool], *, drain: bool = True) -> None:
    """What the scheduler and the workers do, until something is the case."""
    for _ in range(600):
        if reached():
            return
        tick.tick()
        if drain:
            practice.drain()
        time.sleep(0.1)
    pytest.fail(f"not reached: {[(s.key, s.status, s.code) for s in practice.state(run_id)[1]]}")


def is_over(practice: Practice, run_id: uuid.UUID) -> Callable[[], bool]:
    return lambda: practice.state(run_id)[0].status == RunStatus.SUCCEEDED


def assert_done_once(practice: Practice, run_id: uuid.UUID) -> None:
    run, rows = practice.state(run_id)
    assert run.status == RunStatus.SUCCEEDED
    assert [step.status for step in rows] == ["done"] * len(PLAN)
    assert len(practice.sent()) == 1
    assert len(practice.rows("synkro_reports")) == 1


def freeze() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def freezes_at_save(number: int) -> Callable[[], None]:
    """The worker stands still after it has handed its n-th page over."""
    real, saves = Ctx.save, iter(range(1, 10_000))

    def save(self: Ctx, *args: Any, **kwargs: Any) -> None:
        real(self, *args, **kwargs)
        if next(saves) == number:
            freeze()

    return lambda: setattr(Ctx, "save", save)


def freezes_before_sending() -> None:
    """The worker stands still when it has written that it sends, and has not sent."""
    real = HttpConnection.send

    def send(self: HttpConnection, method: str, path: str, **options: Any) -> HttpAnswer:
        if path == "/sendMessage":
            freeze()
        return real(self, method, path, **options)

    HttpConnection.send = send  # type: ignore[method-assign]


def frozen_worker(practice: Practice, arm: Callable[[], None]) -> int:
    def work() -> None:
        arm()
        practice.drain()

    pid = forked(work)
    _, status = os.waitpid(pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), "it did not stand still"
    return pid


@pytest.mark.parametrize("save", [1, 2, 6])
def test_what_a_frozen_worker_does_after_it_thaws_is_refused(practice: Practice, save: int) -> None:
    run_id = practice.start()
    pid = frozen_worker(practice, freezes_at_save(save))
    until(practice, run_id, is_over(practice, run_id))
    before = [(step.status, step.fence, step.attempts) for step in practice.state(run_id)[1]]
    os.kill(pid, signal.SIGCONT)
    assert ended(pid, 20)
    assert [(step.status, step.fence, step.attempts) for step in practice.state(run_id)[1]] == before
    assert_done_once(practice, run_id)


def test_a_worker_that_freezes_before_it_sends_sends_once(practice: Practice) -> None:
    run_id = practice.start()
    pid = frozen_worker(practice, freezes_before_sending)
    until(practice, run_id, is_over(practice, run_id))
    step = practice.state(run_id)[1][-1]
    assert_has(step, colour="yellow", code="telegram_earlier_unknown")
    assert len(practice.sent()) == 0
    os.kill(pid, signal.SIGCONT)
    assert ended(pid, 20)
    assert_done_once(practice, run_id)


def test_two_workers_do_each_step_once(practice: Practice) -> None:
    run_id = practice.start()
    for key in KEYS:
        runs.enqueue(practice.tenant.id, run_id, key)
    children = [forked(lambda: work_on(practice.app, queue.STEPS)) for _ in range(2)]
    try:
        until(practice, run_id, is_over(practice, run_id), drain=False)
    finally:
        for pid in children:
            killed(pid)
    assert_done_once(practice, run_id)
    assert [step.attempts for step in practice.state(run_id)[1]] == [1] * len(PLAN)


def test_redis_that_is_emptied_all_the_time_only_costs_time(
    practice: Practice, store: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Ctx.save

    def save(self: Ctx, *args: Any, **kwargs: Any) -> None:
        real(self, *args, **kwargs)
        store.flushdb()

    monkeypatch.setattr(Ctx, "save", save)
    run_id = practice.start()
    store.flushdb()
    until(practice, run_id, is_over(practice, run_id))
    assert_done_once(practice, run_id)
    assert [step.attempts for step in practice.state(run_id)[1]] == [1] * len(PLAN)


@pytest.mark.parametrize("key", KEYS[:-1])
def test_redis_that_is_emptied_between_two_steps_loses_nothing(practice: Practice, store: Redis, key: StepKey) -> None:
    real, enqueue = runtime.steps.finish, runs.enqueue

    def finish(claim: Any, *args: Any) -> Any:
        following = real(claim, *args)
        if claim.key == key:
            patch.setattr(runs, "enqueue", lambda *_: store.flushdb())
        return following

    run_id = practice.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime.steps, "finish", finish)
        practice.drain()
    assert runs.enqueue is enqueue
    assert practice.state(run_id)[0].status == RunStatus.RUNNING
    until(practice, run_id, is_over(practice, run_id))
    assert_done_once(practice, run_id)


@pytest.fixture
def own_valkey(practice: Practice) -> Iterator[Valkey]:
    """A Redis of this test's own, which the program uses."""
    with tempfile.TemporaryDirectory(dir=leftovers.folder()) as folder:
        Path(folder).chmod(0o755)
        place = Folders.of(Path(folder))
        valkey = Valkey(place)
        with place.locked():
            valkey.ensure(False)
        client = stores.redis_client(replace(settings(), redis_url=valkey.url))
        remember(practice.app, settings(), vault(), client)
        yield valkey
        client.close()
        with place.locked():
            valkey.stop()


def test_redis_that_is_away_for_some_seconds_is_waited_for(practice: Practice, own_valkey: Valkey) -> None:
    practice.control("radist", fault="slow", path="messages", times=2, seconds=1)
    run_id = practice.start()
    pid = forked(lambda: work_on(practice.app, queue.STEPS))
    try:
        until(practice, run_id, lambda: practice.state(run_id)[1][2].status == "running", drain=False)
        own_valkey.stop()
        time.sleep(2.5)
        assert not ended(pid, 0.1), "the worker gave up"
        own_valkey.ensure(False)
        practice.hurry(run_id)  # a step that met the outage waits half a minute before it asks again
        until(practice, run_id, is_over(practice, run_id), drain=False)
        assert not ended(pid, 0.1), "the worker gave up"
    finally:
        killed(pid)
    assert_done_once(practice, run_id)


def test_a_start_without_redis_is_a_start(practice: Practice, own_valkey: Valkey) -> None:
    own_valkey.stop()
    run_id = practice.start()
    assert practice.state(run_id)[0].status == RunStatus.QUEUED
    own_valkey.ensure(False)
    until(practice, run_id, is_over(practice, run_id))
    assert_done_once(practice, run_id)


@pytest.mark.parametrize("saves", [{1}, {2, 3}, {5}, {7, 9}])
def test_connections_that_postgresql_ends_only_cost_time(
    practice: Practice, postgres_superuser_url: str, monkeypatch: pytest.MonkeyPatch, saves: set[int]
) -> None:
    real, count = Ctx.save, iter(range(1, 10_000))

    def save(self: Ctx, *args: Any, **kwargs: Any) -> None:
        number = next(count)
        if number in saves:
            self.page("directory")
            db.session.execute(select(func.now()))
            with psycopg.connect(postgres_superuser_url, autocommit=True) as connection:
                connection.execute(TERMINATE)
        real(self, *args, **kwargs)

    monkeypatch.setattr(Ctx, "save", save)
    run_id = practice.start()
    until(practice, run_id, is_over(practice, run_id))
    assert_done_once(practice, run_id)


def test_a_stopping_worker_gives_its_step_back_and_ends(practice: Practice) -> None:
    practice.control("amocrm", fault="slow", path="/leads", seconds=200)
    run_id = practice.start()
    pid = forked(lambda: work_on(practice.app, queue.STEPS))
    until(practice, run_id, lambda: practice.state(run_id)[1][0].done == 0 and asked(practice, "leads"), drain=False)
    os.kill(pid, signal.SIGTERM)
    assert ended(pid, 60), "it went on"
    step = practice.state(run_id)[1][0]
    assert_has(step, status="ready", attempts=0, code="worker_stopping")
    until(practice, run_id, is_over(practice, run_id))
    assert_done_once(practice, run_id)


def asked(practice: Practice, part: str) -> bool:
    return any(part in entry["path"] for entry in practice.look("amocrm", "/__requests"))


def test_a_stopping_worker_that_is_idle_ends(practice: Practice) -> None:
    pid = forked(lambda: work_on(practice.app, queue.STEPS))
    time.sleep(0.5)
    os.kill(pid, signal.SIGTERM)
    assert ended(pid, 60)


def test_a_run_whose_worker_was_killed_can_be_stopped(practice: Practice) -> None:
    practice.control("amocrm", fault="slow", path="/leads", seconds=200)
    run_id = practice.start()
    pid = forked(practice.drain)
    until(practice, run_id, lambda: asked(practice, "leads"), drain=False)
    killed(pid)
    with tenant_scope(practice.tenant.id):
        run = runs.find(run_id)
        assert run is not None
        runs.stop(run)
    until(practice, run_id, lambda: practice.state(run_id)[0].status == RunStatus.CANCELLED, drain=False)
    assert {step.status for step in practice.state(run_id)[1]} == {"cancelled"}


def test_a_paid_answer_is_not_paid_for_again(practice: Practice) -> None:
    run_id = practice.start()
    pid = frozen_worker(practice, freezes_after_answer)
    killed(pid)
    until(practice, run_id, is_over(practice, run_id))
    with tenant_scope(practice.tenant.id):
        paid = db.session.execute(select(func.count()).select_from(AiCall)).scalar_one()
    asked_for = [entry for entry in practice.look("gemini", "/__requests") if "generateContent" in entry["path"]]
    assert len(asked_for) == paid
    assert_done_once(practice, run_id)


def freezes_after_answer() -> None:
    real = Ctx.save

    def save(self: Ctx, name: str, *args: Any, **kwargs: Any) -> None:
        real(self, name, *args, **kwargs)
        if name.startswith("call:"):
            freeze()

    Ctx.save = save  # type: ignore[method-assign]
