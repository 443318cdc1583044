"""Which jobs are ours. Whoever can write to Redis can put anything there, and RQ would import and call it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rq.exceptions import DeserializationError
from rq.job import Job
from rq.utils import import_attribute

from synkro.services.connections import checks, trials, troubles
from synkro.services.mail import outbox
from synkro.services.reports import runs

JOBS = frozenset({"synkro.jobs.engine.tick.tick", checks.CHECK, troubles.TELL, trials.TRY_OUT, outbox.SEND, runs.WORK})
EXTRAS = (
    "_success_callback_name",
    "_failure_callback_name",
    "_stopped_callback_name",
    "_dependency_ids",
    "webhooks",
    "retries_left",
    "repeats_left",
)
"""What RQ can do for a job besides calling it. A doorbell has none of it."""


class Bell(Job):
    """A job that calls one of JOBS."""

    @property
    def func(self) -> Callable[..., Any] | None:
        return import_attribute(self.func_name) if self.func_name in JOBS else None


def fault_of(job: Job) -> str:
    """Why this is no doorbell of ours, as a code; "" for one that is."""
    try:
        name, instance = job.func_name, job.instance
    except DeserializationError:
        return "job_unreadable"
    if not isinstance(name, str) or name not in JOBS or instance is not None:
        return "job_unknown"
    if any(getattr(job, extra) for extra in EXTRAS):
        return "job_extras"
    return ""
