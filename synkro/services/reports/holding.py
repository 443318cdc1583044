"""Reports that wait until a person has read them: held before the group sees them, sent on once."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, exists, or_, select, update

from synkro.errors import AppError
from synkro.i18n import _l
from synkro.infra import clock
from synkro.models import Automation, Delivery, JobRun, JobStep, Report, Tenant
from synkro.models.plan import StepKey
from synkro.models.states import StepStatus, TenantStatus
from synkro.services import audit
from synkro.services.mail import company_notices
from synkro.services.reports import artifacts, reports, runs, schedules
from synkro.tenancy import db, end_reading

HELD = "held_for_review"
"""The remark with which the last step of such a run ends."""
CLOCK = "schedule"
"""Who sends a report on that nobody has sent until its time: a name of the audit."""

LOOKED_AFTER = timedelta(days=7)
"""How long the tick tries to send on what was released."""
_WAITS = (Report.held_at.is_not(None), Report.released_at.is_(None))
_ENDED_HELD = (
    JobStep.key == StepKey.NOTIFY_TELEGRAM,
    JobStep.status == StepStatus.DONE,
    JobStep.code == HELD,
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A report that has to go on."""

    tenant_id: uuid.UUID
    report_id: uuid.UUID


def holds(run: JobRun) -> bool:
    """Whether the report of the run has to wait; the first time it is put on hold here, and its people told.

    One of which something was sent already is not held: half a report helps nobody.
    """
    report_id = reports.id_for(run.id)
    automation = schedules.of_tenant()
    is_new, goes_at = False, None
    if automation is not None and automation.is_held:
        goes_at = _goes_at(automation, ZoneInfo(run.timezone))
        is_new = _put_on_hold(report_id, goes_at)
    held = db.session.execute(select(Report.id).where(Report.id == report_id, *_WAITS)).scalar_one_or_none()
    db.session.commit()
    if is_new:
        company_notices.report_waits(run.tenant_id, goes_at)
    return held is not None


def _goes_at(automation: Automation, zone: ZoneInfo) -> datetime | None:
    until = automation.not_later_than
    return schedules.next_at(until, clock.now(), zone) if until else None


def _put_on_hold(report_id: uuid.UUID, goes_at: datetime | None) -> bool:
    begun = exists().where(Delivery.report_id == report_id)
    held = db.session.execute(
        update(Report)
        .where(Report.id == report_id, Report.held_at.is_(None), ~begun)
        .values(held_at=clock.now(), goes_at=goes_at)
    )
    return bool(held.rowcount)  # type: ignore[attr-defined]


def waits(report: Report) -> bool:
    return report.held_at is not None and report.released_at is None


def release(report_id: uuid.UUID, by: uuid.UUID | None) -> bool:
    """Send a held report to the group. by None: its time has come. False: it was on its way already.

    Raises AppError when nothing is left to send, and while the company is paused.
    """
    report = db.session.get(Report, report_id, populate_existing=True)
    if report is None or report.held_at is None:
        raise AppError(409, "not_held", _l("This report does not wait for anything"))
    runs.check_company(db.session.get_one(Tenant, report.tenant_id, populate_existing=True))
    if not artifacts.remain(report.run_id, StepKey.NOTIFY_TELEGRAM):
        raise AppError(409, "pages_deleted", _l("The messages of this report are deleted by now: it stays here only"))
    released = db.session.execute(
        update(Report).where(Report.id == report_id, *_WAITS).values(released_at=clock.now(), released_by=by)
    )
    is_first = bool(released.rowcount)  # type: ignore[attr-defined]
    if is_first:
        audit.record("report_released", "report", report_id, actor=CLOCK)
    db.session.commit()
    send_on(report_id)
    return is_first


def send_on(report_id: uuid.UUID) -> None:
    """Begin the last step of a released report anew. Where that cannot be now, the tick comes back to it."""
    report = db.session.get_one(Report, report_id)
    # the run is held while its step is looked at: of two who come here one begins it
    run = db.session.get_one(JobRun, report.run_id, populate_existing=True, with_for_update=True)
    try:
        if db.session.execute(_held_step(run.id)).scalar_one_or_none():
            runs.resume(run, StepKey.NOTIFY_TELEGRAM, actor=CLOCK)
    except AppError:  # another one is at work
        return
    finally:
        db.session.rollback()


def _held_step(run_id: uuid.UUID) -> Select[uuid.UUID]:
    """The last step, where it still stands as it ended when the report was put on hold."""
    return select(JobStep.id).where(JobStep.run_id == run_id, *_ENDED_HELD)


def due() -> list[Waiting]:
    """Reports whose time has come, and released ones whose last step was not begun yet. Needs the system scope."""
    now = clock.now()
    statement = (
        select(Report.tenant_id, Report.id)
        .join(JobStep, and_(JobStep.run_id == Report.run_id, *_ENDED_HELD))
        .join(Tenant, Tenant.id == Report.tenant_id)
        .where(
            Tenant.status == TenantStatus.ACTIVE,
            or_(and_(Report.goes_at <= now, *_WAITS), Report.released_at > now - LOOKED_AFTER),
        )
    )
    found = [Waiting(*row) for row in db.session.execute(statement)]
    end_reading()
    return found
