"""The queues and who serves them, as RQ's own books have it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from synkro.extensions import redis
from synkro.infra import clock, queue

GRACE_SECONDS = 60
"""RQ lets the key of a worker live this much longer than the worker promised to be silent at most."""


@dataclass(frozen=True, slots=True)
class QueueLine:
    """oldest: seconds that the first job waits. workers: how many serve it."""

    name: str
    waiting: int
    oldest: int | None
    workers: int


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """silent: seconds since its last sign of life. is_late: longer than it promised."""

    name: str
    queues: list[str]
    state: str
    silent: int | None
    is_late: bool


@dataclass(frozen=True, slots=True)
class QueueState:
    """queues None: Redis did not answer."""

    queues: list[QueueLine] | None = None
    workers: list[WorkerLine] = field(default_factory=list)


def read() -> QueueState:
    try:
        workers = Worker.all(connection=redis(), serializer=JSONSerializer)
        return QueueState([_queue_line(name, workers) for name in queue.QUEUES], [_worker_line(one) for one in workers])
    except (RedisError, OSError):
        return QueueState()


def _queue_line(name: str, workers: list[Any]) -> QueueLine:
    waiting = queue.queue(name, redis())
    serving = sum(name in worker.queue_names() for worker in workers)
    return QueueLine(name, waiting.count, age(_first(waiting)), serving)


def _first(waiting: Queue) -> datetime | None:
    """When the job that is next was sent."""
    ids = waiting.get_job_ids(0, 1)
    jobs = Job.fetch_many(ids, connection=redis(), serializer=JSONSerializer)
    return jobs[0].enqueued_at if jobs and jobs[0] else None


def _worker_line(worker: Any) -> WorkerLine:
    left = redis().ttl(worker.key)
    return WorkerLine(
        name=worker.name,
        queues=worker.queue_names(),
        state=str(worker.get_state()),
        silent=age(worker.last_heartbeat),
        is_late=left < GRACE_SECONDS,
    )


def age(at: datetime | None) -> int | None:
    """Seconds since then."""
    return max(int((clock.now() - at).total_seconds()), 0) if at else None
