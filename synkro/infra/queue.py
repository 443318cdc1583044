"""Jobs: a queue carries the ids of what is due, never the truth about it."""

from __future__ import annotations

import logging
import uuid

import rq.job
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, get_current_job
from rq.serializers import DefaultSerializer, JSONSerializer

from synkro.infra.log import request_id
from synkro.version import __version__

log = logging.getLogger(__name__)

TICK, CHECKS, TRIALS, STEPS = "tick", "checks", "trials", "steps"
QUEUES = (TICK, CHECKS, TRIALS, STEPS)
"""One worker process each: a tick never waits behind a long step, nor a check behind a test analysis."""
KEEP_FAILED_SECONDS = 7 * 86_400


def _nothing(_path: str) -> None:
    """What a path that lies in Redis leads to."""


# Who can write to Redis must not be able to run code: not in a worker, nor where the dashboard or the clock tidies up.
# So nothing is unpickled, also where RQ names no serializer, and nothing is imported: a worker calls its JOBS.
DefaultSerializer.dumps, DefaultSerializer.loads = JSONSerializer.dumps, JSONSerializer.loads
rq.job.import_attribute = _nothing  # type: ignore[attr-defined,assignment]


def queue(name: str, redis: Redis) -> Queue:
    return Queue(name, connection=redis, serializer=JSONSerializer)


def enqueue(redis: Redis, name: str, job: str, *ids: uuid.UUID | str, seconds: int) -> bool:
    """Send the ids to a worker. False when Redis is away: the row stays ready and the tick rings again.

    job: one of the names in jobs.engine.jobs.JOBS. seconds: its time limit. Call it after the commit, never before.
    """
    try:
        with redis.pipeline() as pipeline:  # one round trip instead of RQ's two
            queue(name, redis).enqueue(
                job,
                *(str(i) for i in ids),
                job_timeout=seconds,
                result_ttl=0,
                failure_ttl=KEEP_FAILED_SECONDS,
                meta={"request_id": request_id(), **of_this_release()},
                pipeline=pipeline,
            )
            pipeline.execute()
    except RedisError as error:
        log.warning("job not enqueued", extra={"fields": {"queue": name, "error": type(error).__name__}})
        return False
    return True


def of_this_release() -> dict[str, str]:
    """For the meta of a job: an older worker that does not know its name leaves it, instead of calling it a fault."""
    return {"release": __version__}


def request_id_of_job() -> str | None:
    """In a worker: the id of the request that led to this job, so that one id joins the logs of web and worker."""
    job = get_current_job()
    return (job.meta.get("request_id") or None) if job else None
