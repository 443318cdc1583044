"""Worker processes: one a queue, watched by a parent that starts a dead one again."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import time
from types import FrameType

from flask import Flask
from redis.exceptions import RedisError
from rq.serializers import JSONSerializer

from synkro.extensions import redis
from synkro.infra import queue
from synkro.infra.orphans import bound_to_us
from synkro.jobs.engine.safe_worker import SafeWorker
from synkro.jobs.reports.runtime import Stopping

log = logging.getLogger(__name__)

JOBS_PER_PROCESS = 500
"""A fresh process now and then keeps the memory flat whatever a library leaks."""


class Worker(SafeWorker):
    def handle_warm_shutdown_request(self) -> None:
        """A step does not run for minutes against a stopping machine: it goes back to ready and is not counted."""
        super().handle_warm_shutdown_request()
        if self.get_current_job_id():
            # rq would note it only after us, and takes what a job raises for the job's own failure: it would go on
            self._stop_requested = True
            raise Stopping


def work_on(app: Flask, name: str, *, burst: bool = False) -> None:
    """Serve one queue until told to stop. Waits out a Redis that is away."""
    with app.app_context():
        while True:
            worker = Worker(
                [queue.queue(name, redis())], connection=redis(), serializer=JSONSerializer, log_job_description=False
            )
            try:
                worker.work(burst=burst, max_jobs=JOBS_PER_PROCESS, logging_level="WARNING", with_scheduler=False)
                return
            except RedisError as error:
                log.warning("queue away", extra={"fields": {"queue": name, "error": type(error).__name__}})
                time.sleep(1)
            except Stopping:
                return


def supervise(commands: dict[str, list[str]]) -> int:
    """Keep a child for each command alive until SIGTERM or SIGINT; then end them and wait. Exit code 0.

    Killed, it takes its children along: two sets would work on the same queues.
    """
    children: dict[str, subprocess.Popen[bytes]] = {}
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not stopping:
        for name, command in commands.items():
            child = children.get(name)
            if child is None or child.poll() is not None:
                if child is not None:
                    log.info("child ended", extra={"fields": {"child": name, "code": child.returncode}})
                children[name] = subprocess.Popen(command, preexec_fn=bound_to_us())  # noqa: PLW1509 (no threads here)
        time.sleep(0.5)
    return _end(list(children.values()))


def _end(children: list[subprocess.Popen[bytes]], patience: float = 20) -> int:
    for child in children:
        child.terminate()
    ends = time.monotonic() + patience
    for child in children:
        try:
            child.wait(max(0.1, ends - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    return 0


def flask_command(*words: str) -> list[str]:
    """Our own command line in a child process of the same interpreter."""
    return [sys.executable, "-m", "flask", "--app", "wsgi", *words]
