"""The clock: rq-scheduler carries one entry, the tick. It may stop, start twice or lose Redis without harm."""

from __future__ import annotations

import logging
import signal
import time
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from flask import Flask
from redis.exceptions import RedisError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq_scheduler import Scheduler

from synkro.extensions import redis, settings
from synkro.infra import queue
from synkro.jobs.engine.tick import TICK

log = logging.getLogger(__name__)

ENTRY = "tick"


class JsonJob(Job):
    """rq-scheduler has no serializer option and would pickle."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["serializer"] = JSONSerializer
        super().__init__(*args, **kwargs)


class Clock:
    """Turns the scheduler by hand instead of Scheduler.run(), which ends when Redis blinks."""

    def __init__(self) -> None:
        self._stopping = self._has_entered = False
        self._queue = queue.queue(queue.TICK, redis())
        self._scheduler = Scheduler(queue=self._queue, connection=redis(), interval=1, job_class=JsonJob)
        # it would import the class of queue that an entry names, whoever wrote it
        self._scheduler.get_queue_for_job = lambda _job: self._queue

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        while not self._stopping:
            try:
                self._turn()
            except RedisError as error:
                log.warning("queue away", extra={"fields": {"error": type(error).__name__}})
            time.sleep(1)

    def _turn(self) -> None:
        if not self._has_entered or ENTRY not in self._scheduler:
            self._enter()
        # without a worker the ticks would pile up, and one that waits is as good as a thousand
        if self._queue.is_empty() and self._scheduler.acquire_lock():
            try:
                self._scheduler.enqueue_jobs()
            finally:
                self._scheduler.remove_lock()

    def _enter(self) -> None:
        """At the start, and when an emptied Redis has lost the entry. The id is fixed: there is never a second one.

        At the start in any case: an entry of another release may name what this one does not know.
        """
        # no result_ttl: one shorter than the interval would delete the entry after its first run
        self._scheduler.schedule(
            scheduled_time=datetime.now(UTC),
            func=TICK,
            interval=settings().tick_seconds,
            id=ENTRY,
            timeout=120,
            meta=queue.of_this_release(),
        )
        self._has_entered = True

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True


def run(app: Flask) -> None:
    with app.app_context():
        Clock().run()
