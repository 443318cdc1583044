"""Reports that have not reached the group by the time the company wants them: its people get one letter."""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy import and_, exists, select

from synkro.infra import clock
from synkro.models import AuditLog, Automation, Delivery, JobRun, JobStep, Report, Tenant, User
from synkro.models.plan import StepKey
from synkro.models.states import DeliveryStatus, RunKind, RunStatus, StepStatus, TenantStatus
from synkro.services import audit
from synkro.services.mail import letters, outbox
from synkro.services.reports import late_letters, schedules
from synkro.services.reports.late_letters import Late
from synkro.tenancy import db, end_reading

log = logging.getLogger(__name__)

NEWS = outbox.LIFE
"""What was late longer ago is told to nobody: a letter about it would not be sent either."""


def tell() -> list[uuid.UUID]:
    """Write to the people of every company whose newest report is late; the letters, to be enqueued.

    Needs the system scope. Once for a report, however many do this at once.
    """
    written: list[uuid.UUID] = []
    for automation, tenant in _watched():
        try:
            late = _late(automation, tenant)
            if late is not None and _is_mine(automation, late):
                written += _write(late)
            db.session.commit()
        except Exception as error:  # one company must not keep the others waiting
            log.error("late report not told of", exc_info=error)
            db.session.rollback()
    return written


def _watched() -> list[tuple[Automation, Tenant]]:
    statement = (
        select(Automation, Tenant)
        .join(Tenant, Tenant.id == Automation.tenant_id)
        .where(
            Automation.kind != RunKind.MANUAL,
            Automation.not_later_than.is_not(None),
            Tenant.status == TenantStatus.ACTIVE,
        )
    )
    found = [(automation, tenant) for automation, tenant in db.session.execute(statement)]
    for row in (row for pair in found for row in pair):
        db.session.expunge(row)  # a rollback for one company must not have the others read anew
    end_reading()
    return found


def _late(automation: Automation, tenant: Tenant) -> Late | None:
    zone, now = ZoneInfo(tenant.timezone), clock.now()
    newest = schedules.closed_window(automation, zone, now)
    # until the newest has to be there, the one before it is the one that may be late
    for window in (newest, schedules.closed_window(automation, zone, newest.start)):
        comes = schedules.sending_time(automation, window.end, zone)
        until = schedules.next_at(automation.not_later_than or automation.at, comes, zone)
        if until > now:
            continue
        if comes < automation.updated_at or now - until > NEWS:
            return None
        return _unless_there(Late(tenant, RunKind(automation.kind), window, until, None))
    return None


def _unless_there(late: Late) -> Late | None:
    """With its run. None for a report that is there, or that waits for a person or was sent on by one."""
    sent = exists().where(Delivery.report_id == Report.id, Delivery.status == DeliveryStatus.SENT)
    statement = (
        select(JobRun, JobStep.status, Report.held_at, sent)
        .join(JobStep, and_(JobStep.run_id == JobRun.id, JobStep.key == StepKey.NOTIFY_TELEGRAM))
        .outerjoin(Report, Report.run_id == JobRun.id)
        .where(
            JobRun.tenant_id == late.tenant.id,
            JobRun.kind == late.kind,
            JobRun.window_start == late.window.start,
            JobRun.window_end == late.window.end,
        )
    )
    found = db.session.execute(statement).one_or_none()
    if found is None:
        return late
    run, last_step, held_at, is_sent = found
    is_there = is_sent and last_step == StepStatus.DONE
    waits = held_at is not None and run.status not in (RunStatus.FAILED, RunStatus.CANCELLED)
    return None if is_there or waits else replace(late, run=run)


def _is_mine(automation: Automation, late: Late) -> bool:
    """Whether nobody has told of it, nor is about to: the schedule is held until the commit."""
    held = select(Automation.id).where(Automation.id == automation.id).with_for_update(skip_locked=True)
    if db.session.execute(held).scalar_one_or_none() is None:
        return False
    told = exists().where(
        AuditLog.tenant_id == late.tenant.id,
        AuditLog.at >= late.until,
        AuditLog.act == "report_late",
        AuditLog.object_id == late.name,
    )
    return not db.session.execute(select(told)).scalar()


def _write(late: Late) -> list[uuid.UUID]:
    audit.record("report_late", "run", late.name, tenant_id=late.tenant.id)
    people = select(User).where(User.tenant_id == late.tenant.id, User.can_manage_settings, User.is_active)
    return [
        outbox.put(user.id, late_letters.written(letters.reader_of(user, late.tenant), late), clock.now() + NEWS)
        for user in db.session.execute(people).scalars()
    ]
