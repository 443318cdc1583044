"""Which jobs are ours. Whoever can write to Redis can put anything there, and RQ would import and call it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rq.exceptions import DeserializationError
from rq.job import Job

from synkro.jobs.connections import checks as check_jobs
from synkro.jobs.connections import trials as trial_jobs
from synkro.jobs.engine import tick
from synkro.jobs.mail import letters as post
from synkro.jobs.reports import runtime
from synkro.services.connections import checks, connection_alerts, trials
from synkro.services.mail import outbox
from synkro.services.reports import runs
from synkro.version import is_newer

JOBS: dict[str, Callable[..., None]] = {
    tick.TICK: tick.tick,
    runs.WORK: runtime.work,
    checks.CHECK: check_jobs.check,
    connection_alerts.TELL: check_jobs.tell,
    trials.TRY_OUT: trial_jobs.try_out,
    outbox.SEND: post.send,
}
"""Name in Redis -> what a worker calls. The names stay when a module moves: two releases work on the same queues."""
FORMER = {
    "synkro.jobs.tick.tick": tick.TICK,
    "synkro.jobs.runtime.work": runs.WORK,
    "synkro.jobs.checks.check": checks.CHECK,
    "synkro.jobs.checks.tell": connection_alerts.TELL,
    "synkro.jobs.trials.try_out": trials.TRY_OUT,
    "synkro.jobs.post.send": outbox.SEND,
}
"""Names that release 1.0 has put into Redis. To be removed with the release after this one."""
EXTRAS = (
    "_success_callback_name",
    "_failure_callback_name",
    "_stopped_callback_name",
    "_dependency_ids",
    "webhooks",
    "retries_left",
    "repeats_left",
)
"""What RQ can do for a job besides calling it. A job has none of it."""
NEWER = "job_newer"
"""The fault of a job that a newer release has put there: no worker of this one can do it, and it is nobody's fault."""


class KnownJob(Job):
    """A job that calls one of JOBS."""

    @property
    def func(self) -> Callable[..., Any] | None:
        return _function_of(self.func_name)


def _function_of(name: object) -> Callable[..., None] | None:
    return JOBS.get(FORMER.get(name, name)) if isinstance(name, str) else None


def fault_of(job: Job) -> str:
    """Why this is no job of ours, as a code; "" for one that is."""
    try:
        name, instance = job.func_name, job.instance
    except DeserializationError:
        return "job_unreadable"
    if instance is not None or not isinstance(name, str):
        return "job_unknown"
    if _function_of(name) is None:
        return NEWER if _is_of_newer(job) else "job_unknown"
    if any(getattr(job, extra) for extra in EXTRAS):
        return "job_extras"
    return ""


def _is_of_newer(job: Job) -> bool:
    return isinstance(job.meta, dict) and is_newer(job.meta.get("release"))
