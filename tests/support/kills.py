"""A worker that dies in the middle of its work, and the recovery after it."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Callable

import pytest

from synkro.jobs.engine import tick
from synkro.models.states import RunStatus
from synkro.tenancy import db
from tests.support.practice import Practice


def crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def worker_that_dies(practice: Practice, set_fault_point: Callable[[], None]) -> None:
    """A worker in a process of its own that ends by SIGKILL where set_fault_point() put it."""
    pid = os.fork()
    if pid == 0:
        try:
            db.engine.dispose(close=False)
            set_fault_point()
            practice.drain()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "the fault point was never reached"


def recover(practice: Practice, run_id: uuid.UUID) -> None:
    """What the scheduler and a new worker do: ticks and jobs until the run ends."""
    for _ in range(400):
        tick.tick()
        practice.drain()
        if practice.state(run_id)[0].status == RunStatus.SUCCEEDED:
            return
        time.sleep(0.1)
    pytest.fail(f"not recovered: {[(s.key, s.status, s.code) for s in practice.state(run_id)[1]]}")
