"""When reports are due: local wall time and zone in SQL, never in a queue."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select

from synkro import clock
from synkro.analysis.window import PeriodKind, Window, day_window, latest_closed, month_window, week_window
from synkro.models import Automation, JobRun, Tenant
from synkro.models.states import Kind, TenantStatus
from synkro.tenancy import db, end_reading


@dataclass(frozen=True, slots=True)
class Due:
    """A window that has closed and has no run yet."""

    tenant_id: uuid.UUID
    kind: Kind
    window: Window


@dataclass(frozen=True, slots=True)
class Planned:
    """A run that is still to come. at: in the company's zone."""

    at: datetime
    window: Window


def due_now() -> list[Due]:
    """The latest closed window of every schedule whose hour has come and which has no run. Needs the system scope."""
    statement = (
        select(Automation, Tenant)
        .join(Tenant, Tenant.id == Automation.tenant_id)
        .where(Automation.kind != Kind.MANUAL, Tenant.status == TenantStatus.ACTIVE)
    )
    found = [due for automation, tenant in db.session.execute(statement) if (due := _due(automation, tenant))]
    missing = [due for due in found if not _has_run(due)]
    end_reading()
    return missing


def _due(automation: Automation, tenant: Tenant) -> Due | None:
    zone = ZoneInfo(tenant.timezone)
    kind, now = Kind(automation.kind), clock.now()
    window = latest_closed(cast(PeriodKind, str(kind)), now, zone, automation.boundary_hour, automation.weekday)
    comes = sending_time(automation, window.end, zone)
    # a schedule that was set after its hour starts with the next window, not with a surprise
    if comes > now or comes < automation.updated_at:
        return None
    return Due(tenant.id, kind, window)


def sending_time(automation: Automation, window_end: datetime, zone: ZoneInfo) -> datetime:
    """The first moment at or after the window's end at which the local clock shows the chosen time."""
    closed = window_end.astimezone(zone)
    day = closed.date() if automation.at >= closed.time() else closed.date() + timedelta(days=1)
    return datetime.combine(day, automation.at, zone)


def _has_run(due: Due) -> bool:
    same = (
        JobRun.tenant_id == due.tenant_id,
        JobRun.kind == due.kind,
        JobRun.window_start == due.window.start,
        JobRun.window_end == due.window.end,
    )
    return bool(db.session.execute(select(exists().where(*same))).scalar())


def of_tenant() -> Automation | None:
    """The schedule of the tenant in scope."""
    return db.session.execute(select(Automation)).scalar_one_or_none()


def boundary_hour() -> int:
    """The local hour at which the days of the tenant in scope end."""
    automation = of_tenant()
    return automation.boundary_hour if automation else 0


def next_run(tenant: Tenant) -> Planned | None:
    """The next run of the schedule. None where reports are made by hand or the company is not active."""
    automation = of_tenant()
    if automation is None or automation.kind == Kind.MANUAL or tenant.status != TenantStatus.ACTIVE:
        return None
    zone = ZoneInfo(tenant.timezone)
    kind, now = cast(PeriodKind, automation.kind), clock.now()
    window = latest_closed(cast(PeriodKind, str(kind)), now, zone, automation.boundary_hour, automation.weekday)
    at = sending_time(automation, window.end, zone)
    if at <= now:
        window = _following(kind, window, zone, automation.boundary_hour)
        at = sending_time(automation, window.end, zone)
    return Planned(at, window)


def _following(kind: PeriodKind, window: Window, zone: ZoneInfo, boundary_hour: int) -> Window:
    """The window that begins where this one ends."""
    first = window.end.astimezone(zone).date()
    if kind == "weekly":
        return week_window(first, zone, boundary_hour)
    return (month_window if kind == "monthly" else day_window)(first, zone, boundary_hour)
