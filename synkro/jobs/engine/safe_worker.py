"""RQ's worker with a fifth of its round trips to Redis: between two steps it is what people wait for."""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import timedelta
from typing import Any

from rq import Queue, SimpleWorker
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.utils import now
from rq.worker.base import WorkerStatus

from synkro.infra.queue import KEEP_FAILED_SECONDS
from synkro.jobs.engine.jobs import NEWER, KnownJob, fault_of

log = logging.getLogger(__name__)

BEAT = timedelta(seconds=5)


class SafeWorker(SimpleWorker):
    """Keeps the same books as RQ, a page at a time: the dashboard and RQ's own cleaning find what they expect.

    Works in its own process instead of forking for each job: a step follows a step within milliseconds. What a fork
    would guard is guarded elsewhere: the lease and the fence in SQL, the time limit by SIGALRM, a dead process by the
    parent.
    """

    job_class = KnownJob

    def execute_job(self, job: Job, queue: Queue) -> None:
        fault = fault_of(job)
        if fault == NEWER:
            self._leave(job, queue)
        elif fault:
            self._refuse(job, queue, fault)
        else:
            self.perform_job(job, queue)
        self.set_state(WorkerStatus.IDLE)

    def _refuse(self, job: Job, queue: Queue, fault: str) -> None:
        """To the failed ones without a look at what it would call, before, during or after."""
        log.error("job refused", extra={"fields": {"code": fault, "queue": queue.name, "job": job.id[:64]}})
        with self.connection.pipeline() as pipeline:
            pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            job.set_status(JobStatus.FAILED, pipeline)
            queue.failed_job_registry.add(job, KEEP_FAILED_SECONDS, fault, pipeline)
            self.increment_failed_job_count(pipeline)
            pipeline.execute()

    def _leave(self, job: Job, queue: Queue) -> None:
        """Out of Redis: its row is still there, and the tick of the release that knows it rings again."""
        log.warning("job left to a newer release", extra={"fields": {"queue": queue.name, "job": job.id[:64]}})
        with self.connection.pipeline() as pipeline:
            pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            pipeline.delete(job.key)
            pipeline.execute()

    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:
        """The execution, the worker, the job and the queue in one transaction. RQ makes two and three single calls."""
        ttl = self.get_heartbeat_ttl(job)
        with self.connection.pipeline() as pipeline:
            self.execution = Execution.create(job, ttl, pipeline=pipeline, worker_name=self.name)
            self.set_state(WorkerStatus.BUSY, pipeline)
            self.set_current_job_id(job.id, pipeline=pipeline)
            self.set_current_job_working_time(0, pipeline=pipeline)
            # never shorter than the wait for the next job may be, which begins without a beat of its own
            self.heartbeat(max(ttl, self.worker_ttl + 60), pipeline)
            job.prepare_for_execution(self.name, pipeline=pipeline)
            if remove_from_intermediate_queue:
                pipeline.lrem(Queue(job.origin, connection=self.connection).intermediate_queue_key, 1, job.id)
            pipeline.execute()

    def handle_execution_ended(self, job: Job, queue: Queue, heartbeat_ttl: int) -> None:  # noqa: ARG002
        job.ended_at = now()

    def handle_job_success(self, job: Job, queue: Queue, started_job_registry: Any) -> None:
        """A job has no result and no dependents: nothing is asked before it is deleted."""
        if job.get_result_ttl(self.default_result_ttl) != 0:
            super().handle_job_success(job, queue, started_job_registry)
            return
        with self.connection.pipeline() as pipeline:
            self.increment_successful_job_count(pipeline)
            if job.started_at and job.ended_at:
                self.increment_total_working_time(job.ended_at - job.started_at, pipeline)
            self.cleanup_execution(job, pipeline)
            pipeline.delete(job.key)
            self.set_state(WorkerStatus.IDLE, pipeline)
            pipeline.execute()

    def handle_job_failure(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: Any = None,
        exc_string: str = "",  # noqa: ARG002
    ) -> None:
        """The text of an exception may hold what a customer said, and would lie in Redis for a week."""
        super().handle_job_failure(job, queue, started_job_registry, _traceback_of(sys.exception()))

    def set_state(self, state: str, pipeline: Any = None) -> None:
        if pipeline is not None or state != self.get_state():
            super().set_state(state, pipeline)

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        if pipeline is not None or timeout is not None or not self._has_beaten():
            super().heartbeat(timeout, pipeline)

    def check_for_suspension(self, burst: bool) -> None:
        if not self._has_beaten():
            super().check_for_suspension(burst)

    def _has_beaten(self) -> bool:
        return self.last_heartbeat is not None and now() - self.last_heartbeat < BEAT


def _traceback_of(error: BaseException | None) -> str:
    """Where an exception rose and of what kind it is."""
    if error is None:
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    return "\n".join([*(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames), type(error).__name__])
