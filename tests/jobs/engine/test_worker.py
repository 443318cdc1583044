from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis
from rq import Worker as RqWorker

from synkro.infra import queue
from synkro.jobs.engine import worker
from synkro.jobs.engine.worker import flask_command, supervise, work_on
from synkro.models import Tenant
from tests.conftest import ROOT
from tests.support.runs_by_hand import KEYS, begin, statuses


def test_a_burst_ends_when_the_queue_is_empty(app: Flask, tenant: Tenant, store: Redis) -> None:
    begin(tenant)
    work_on(app, queue.STEPS, burst=True)
    assert queue.queue(queue.STEPS, store).count == 0


def test_a_worker_serves_its_own_queue_only(app: Flask, tenant: Tenant) -> None:
    run_id = begin(tenant)
    work_on(app, queue.CHECKS, burst=True)
    assert statuses(tenant, run_id)[0] == "ready"


def test_a_job_that_is_no_json_is_not_run(app: Flask, tenant: Tenant, store: Redis, tmp_path: Path) -> None:
    mark = tmp_path / "run"
    queue.enqueue(store, queue.STEPS, "os.mkdir", str(mark), seconds=5)
    name = store.lrange("rq:queue:steps", 0, -1)[0].decode()  # type: ignore[index]
    store.hset(f"rq:job:{name}", "data", b"\x80\x04cos\nsystem\n.")
    work_on(app, queue.STEPS, burst=True)
    assert not mark.exists()


def test_a_job_holds_ids_only(tenant: Tenant, store: Redis) -> None:
    run_id = begin(tenant)
    (job,) = queue.queue(queue.STEPS, store).jobs
    assert list(job.args) == [str(tenant.id), str(run_id), str(KEYS[0])]
    assert job.kwargs == {}


def supervised(commands: dict[str, list[str]]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = supervise(commands)
        finally:
            os._exit(code)
    return pid


def lines(path: Path, count: int) -> list[str]:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        found = path.read_text().split() if path.exists() else []
        if len(found) >= count:
            return found
        time.sleep(0.05)
    pytest.fail("the children did not start")


def test_a_dead_child_is_started_again_and_all_end_with_the_parent(tmp_path: Path) -> None:
    mark = tmp_path / "pids"
    child = f"import os,time; open({str(mark)!r}, 'a').write(f'{{os.getpid()}} '); time.sleep(600)"
    parent = supervised({"one": [sys.executable, "-c", child]})
    (first,) = lines(mark, 1)
    os.kill(int(first), signal.SIGKILL)
    second = lines(mark, 2)[1]
    os.kill(parent, signal.SIGTERM)
    assert os.waitpid(parent, 0)[1] == 0
    assert not Path(f"/proc/{second}").exists()


def test_children_of_a_killed_parent_end_as_if_they_were_told_to(tmp_path: Path) -> None:
    mark, end = tmp_path / "pids", tmp_path / "end"
    child = f"""
import os, signal, time
def stop(*_):
    open({str(end)!r}, "w").write("told")
    os._exit(0)
signal.signal(signal.SIGTERM, stop)
open({str(mark)!r}, "a").write(f"{{os.getpid()}} ")
time.sleep(600)
"""
    parent = supervised({"one": [sys.executable, "-c", child]})
    lines(mark, 1)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    assert lines(end, 1) == ["told"]


def test_a_real_worker_ends_with_its_killed_parent(tmp_path: Path, var_dir: Path, app: Flask, store: Redis) -> None:
    env = {"APP_ENV": "test", "VAR_DIR": str(var_dir), "PATH": os.environ["PATH"], "LOG_LEVEL": "WARNING"}
    parent = subprocess.Popen(flask_command("worker"), env=env, cwd=ROOT)
    until = time.monotonic() + 120
    while len(found := [worker.pid for worker in RqWorker.all(connection=store)]) < len(queue.QUEUES):
        assert time.monotonic() < until, "the workers did not start"
        time.sleep(0.1)
    parent.kill()
    parent.wait()
    until = time.monotonic() + 120
    while alive := [pid for pid in found if running(pid)]:
        assert time.monotonic() < until, f"orphans: {alive}"
        time.sleep(0.1)


def running(pid: int) -> bool:
    """A process that has ended but was not waited for is none."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_child_that_does_not_listen_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "pids"
    stubborn = "import os,signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    stubborn += f"open({str(mark)!r}, 'a').write(f'{{os.getpid()}} '); time.sleep(600)"
    monkeypatch.setattr(worker._end, "__defaults__", (0.3,))
    parent = supervised({"one": [sys.executable, "-c", stubborn]})
    (pid,) = lines(mark, 1)
    os.kill(parent, signal.SIGTERM)
    os.waitpid(parent, 0)
    assert not Path(f"/proc/{pid}").exists()


def test_children_are_our_own_command_line() -> None:
    assert flask_command("worker", "steps") == [sys.executable, "-m", "flask", "--app", "wsgi", "worker", "steps"]
