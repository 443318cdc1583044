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


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def worker_that_dies(practice: Practice, arm: Callable[[], None]) -> None:
    """A worker in a process of its own that ends by SIGKILL where arm() put the mine."""
    pid = os.fork()
    if pid == 0:
        try:
            db.engine.dispose(close=False)
            arm()
            practice.drain()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "the mine was never stepped on"


def recover(practice: Practice, run_id: uuid.UUID) -> None:
    """What the scheduler and a new worker do: ticks and doorbells until the run ends."""
    for _ in range(400):
        tick.tick()
        practice.drain()
        if practice.state(run_id)[0].status == RunStatus.SUCCEEDED:
            return
        time.sleep(0.1)
    pytest.fail(f"not recovered: {[(s.key, s.status, s.code) for s in practice.state(run_id)[1]]}")
