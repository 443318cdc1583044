"""Runs: start, stop, continue, look at."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from synkro.errors import AppError
from synkro.extensions import redis, settings
from synkro.i18n import _l
from synkro.infra import clock, queue
from synkro.models import JobRun, JobStep, Report, Tenant
from synkro.models.plan import BY_KEY, StepKey, plan_of
from synkro.models.states import ACTIVE_RUN, RunKind, RunStatus, StepStatus, TenantStatus
from synkro.services import audit
from synkro.services.reports import artifacts, deliveries, reports
from synkro.services.shared.sentences import SENTENCES
from synkro.tenancy import db

WORK = "step"
LONGEST_DAYS = 400
MOST_STARTS = 3
"""The run in the way may end between our try and our look at it: then the next try succeeds."""


def start(
    tenant: Tenant, kind: RunKind, start_at: datetime, end_at: datetime, *, by: uuid.UUID | None = None, actor: str = ""
) -> tuple[JobRun, bool]:
    """Start a run of [start_at, end_at). (run, True), or (the active run, False): a tenant has one at a time.

    Raises AppError for a window that cannot be, for a tenant that is not active, or when a scheduled window has a run.
    """
    _check_window(start_at, end_at)
    check_company(tenant)
    for _ in range(MOST_STARTS):
        run = JobRun(
            id=uuid.uuid4(),
            tenant_id=tenant.id,
            kind=kind,
            status=RunStatus.QUEUED,
            window_start=start_at,
            window_end=end_at,
            timezone=tenant.timezone,
            language=tenant.language,
            sandbox=settings().sandbox,
            started_by=by,
        )
        if _added(run, actor):
            enqueue(run.tenant_id, run.id, plan_of(kind)[0].key)
            return run, True
        if found := _the_one_in_the_way(kind, start_at, end_at):
            return found, False
    raise _another_active()


def _added(run: JobRun, actor: str) -> bool:
    """False: a constraint says that there is another run."""
    try:
        db.session.add(run)
        db.session.flush()
        db.session.add_all(_steps(run))
        audit.record("run_started", "run", run.id, actor=actor, kind=str(run.kind))
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        return False
    return True


def _another_active() -> AppError:
    return AppError(409, "another_run_active", _l("Another report is being made right now"))


def _check_window(start_at: datetime, end_at: datetime) -> None:
    if start_at >= end_at:
        raise AppError(422, "window_empty", _l("The end of the period must be after its start"))
    if (end_at - start_at).days > LONGEST_DAYS:
        raise AppError(422, "window_too_long", _l("The period is too long"))
    if start_at > clock.now():
        raise AppError(422, "window_in_future", _l("The period has not begun yet"))


def check_company(tenant: Tenant) -> None:
    """Raises AppError where no reports are made."""
    if tenant.status != TenantStatus.ACTIVE:
        raise AppError(409, "tenant_paused", _l("The company is paused: no reports are made"))


def _steps(run: JobRun) -> list[JobStep]:
    now = clock.now()
    return [
        JobStep(
            tenant_id=run.tenant_id,
            run_id=run.id,
            n=n,
            key=plan.key,
            status=StepStatus.READY if n == 1 else StepStatus.PENDING,
            ready_at=now if n == 1 else None,
            enqueued_at=now if n == 1 else None,
        )
        for n, plan in enumerate(plan_of(run.kind), 1)
    ]


def _the_one_in_the_way(kind: RunKind, start_at: datetime, end_at: datetime) -> JobRun | None:
    """The active run, else the run that this scheduled window already has; None when it has just ended."""
    found = active()
    if found or kind == RunKind.MANUAL:
        return found
    same = select(JobRun).where(JobRun.kind == kind, JobRun.window_start == start_at, JobRun.window_end == end_at)
    return db.session.execute(same.order_by(JobRun.created_at.desc()).limit(1)).scalar_one_or_none()


def active() -> JobRun | None:
    return db.session.execute(select(JobRun).where(JobRun.status.in_(ACTIVE_RUN))).scalar_one_or_none()


def latest() -> JobRun | None:
    return db.session.execute(select(JobRun).order_by(JobRun.created_at.desc()).limit(1)).scalar_one_or_none()


def find(run_id: uuid.UUID) -> JobRun | None:
    """None for another tenant's run as for one that does not exist: the scope decides."""
    return db.session.get(JobRun, run_id, populate_existing=True)


def steps_of(run_id: uuid.UUID) -> list[JobStep]:
    statement = select(JobStep).where(JobStep.run_id == run_id).order_by(JobStep.n)
    return list(db.session.execute(statement.execution_options(populate_existing=True)).scalars())


def report_of(run_id: uuid.UUID) -> uuid.UUID | None:
    return db.session.execute(select(Report.id).where(Report.run_id == run_id)).scalar_one_or_none()


def stop(run: JobRun, *, actor: str = "") -> None:
    """Ask a run to stop. Steps that wait stop at once, one that runs at its next beat; the tick closes the run."""
    asked = db.session.execute(
        update(JobRun)
        .where(JobRun.id == run.id, JobRun.status.in_(ACTIVE_RUN), JobRun.cancel_requested_at.is_(None))
        .values(cancel_requested_at=clock.now())
    )
    if asked.rowcount:  # type: ignore[attr-defined]
        audit.record("run_stopped", "run", run.id, actor=actor)
        _close_if_idle(run.id)
    db.session.commit()


def _close_if_idle(run_id: uuid.UUID) -> None:
    """Nobody works on it: it is over now, no need to wait for the tick."""
    closed = db.session.execute(
        text("""update job_runs r set status = 'cancelled', finished_at = now() where id = :id and not exists (
                select 1 from job_steps s where s.run_id = r.id and s.status = 'running')"""),
        {"id": run_id},
    )
    if closed.rowcount:  # type: ignore[attr-defined]
        db.session.execute(
            update(JobStep)
            .where(JobStep.run_id == run_id, JobStep.status.in_((StepStatus.PENDING, StepStatus.READY)))
            .values(status=StepStatus.CANCELLED)
        )


def resume(run: JobRun, from_key: str | None = None, *, actor: str = "") -> str:
    """Continue an ended run from a step, by default from the first that is not done. Raises AppError.

    A step that had not come to its end goes on where it was; one that was done, and all behind it, begin anew.
    """
    run = db.session.get_one(JobRun, run.id, populate_existing=True, with_for_update=True)
    try:
        check_company(db.session.get_one(Tenant, run.tenant_id, populate_existing=True))
        first = _reopened(run, from_key)
        audit.record("run_resumed", "run", run.id, actor=actor, step=first)
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        raise _another_active() from None
    except AppError:
        db.session.rollback()
        raise
    enqueue(run.tenant_id, run.id, first)
    return first


def send_again(run: JobRun, *, actor: str = "") -> None:
    """For a person who has looked into the group: send the parts of which nobody knows once more. Raises AppError."""
    if not any(step.code in deliveries.IN_DOUBT for step in steps_of(run.id)):
        raise AppError(409, "nothing_in_doubt", _l("There is no message of which it is not known whether it arrived"))
    if not artifacts.remain(run.id, StepKey.NOTIFY_TELEGRAM):
        raise AppError(409, "pages_deleted", _l("The messages of this report are deleted by now: it stays here only"))
    resume(run, StepKey.NOTIFY_TELEGRAM, actor=actor)


def _reopened(run: JobRun, from_key: str | None) -> str:
    """The caller holds the row of the run, so two who continue at once make one start."""
    if run.status not in (RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.SUCCEEDED):
        raise AppError(409, "run_not_ended", _l("The run has not ended yet"))
    steps = steps_of(run.id)
    undone = [step for step in steps if step.status != StepStatus.DONE]
    first = next((step for step in steps if step.key == from_key), None) if from_key else next(iter(undone), None)
    if first is None:
        raise AppError(409, "nothing_to_resume", _l("Every step of this run is done"))
    if any(step.n < first.n for step in undone):
        raise AppError(409, "earlier_step_open", _l("An earlier step is not done yet: continue from there"))
    if not artifacts.remain(run.id, first.key):
        raise AppError(409, "pages_deleted", SENTENCES["pages_deleted"])
    if from_key == StepKey.NOTIFY_TELEGRAM:
        deliveries.release(reports.id_for(run.id))
    goes_on = first.cursor if first.status != StepStatus.DONE else {}
    for step in steps[first.n - 1 :]:
        _reset(step, ready=step.n == first.n)
    first.cursor = goes_on
    run.status, run.code, run.finished_at, run.cancel_requested_at = RunStatus.QUEUED, None, None, None
    return first.key


def _reset(step: JobStep, *, ready: bool) -> None:
    step.status = StepStatus.READY if ready else StepStatus.PENDING
    step.ready_at = step.enqueued_at = clock.now() if ready else None
    step.attempts, step.done, step.total, step.colour, step.code = 0, 0, None, None, None
    step.params, step.cursor = {}, {}
    step.started_at = step.finished_at = step.lease_until = None
    step.fence += 1


def enqueue(tenant_id: uuid.UUID, run_id: uuid.UUID, key: str) -> None:
    """Send the job for a step. A lost one is repaired by the tick, the one for an unknown step by a newer tick."""
    if step := BY_KEY.get(key):
        seconds = int(step.limit.total_seconds())
        queue.enqueue(redis(), queue.STEPS, WORK, tenant_id, run_id, key, seconds=seconds)
