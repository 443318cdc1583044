"""When reports are due: local wall time and zone in SQL, never in a queue."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select

from synkro.analysis.figures.calendar import WorkingHours
from synkro.analysis.figures.window import PeriodKind, Window, day_window, latest_closed, month_window, week_window
from synkro.infra import clock
from synkro.models import Automation, JobRun, Tenant
from synkro.models.states import RunKind, TenantStatus
from synkro.tenancy import db, end_reading


@dataclass(frozen=True, slots=True)
class Due:
    """A window that has closed and has no run yet."""

    tenant_id: uuid.UUID
    kind: RunKind
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
        .where(Automation.kind != RunKind.MANUAL, Tenant.status == TenantStatus.ACTIVE)
    )
    found = [due for automation, tenant in db.session.execute(statement) if (due := _due(automation, tenant))]
    missing = [due for due in found if not _has_run(due)]
    end_reading()
    return missing


def _due(automation: Automation, tenant: Tenant) -> Due | None:
    zone = ZoneInfo(tenant.timezone)
    kind, now = RunKind(automation.kind), clock.now()
    window = closed_window(automation, zone, now)
    comes = sending_time(automation, window.end, zone)
    # a schedule that was set after its hour starts with the next window, not with a surprise
    if comes > now or comes < automation.updated_at:
        return None
    return Due(tenant.id, kind, window)


def closed_window(automation: Automation, zone: ZoneInfo, now: datetime) -> Window:
    """The newest window of a schedule that has ended by `now`."""
    kind = cast(PeriodKind, str(automation.kind))
    return latest_closed(kind, now, zone, automation.boundary_hour, automation.weekday)


def sending_time(automation: Automation, window_end: datetime, zone: ZoneInfo) -> datetime:
    """The first moment at or after the window's end at which the local clock shows the chosen time, in the zone.

    Where the clock jumps over that time, as much later as it jumps.
    """
    day = _closing_day(window_end, zone, automation.boundary_hour)
    if automation.at < time(automation.boundary_hour):
        day += timedelta(days=1)
    return max(_moment(day, automation.at, zone), window_end).astimezone(zone)


def next_at(at: time, after: datetime, zone: ZoneInfo) -> datetime:
    """The first moment after `after` at which the local clock shows this time, in the zone."""
    today = after.astimezone(zone).date()
    moments = (_moment(today + timedelta(days=days), at, zone) for days in range(3))
    return next(moment for moment in moments if moment > after)


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    # through UTC: a time that the clock jumps over becomes one that it does show
    return datetime.combine(day, at, zone).astimezone(UTC).astimezone(zone)


def _closing_day(window_end: datetime, zone: ZoneInfo, boundary_hour: int) -> date:
    """The local day in which the window ends by the chosen hour.

    A clock that jumps over that hour at midnight puts the end itself into the following day.
    """
    day = window_end.astimezone(zone).date()
    return day if day_window(day, zone, boundary_hour).start == window_end else day - timedelta(days=1)


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


def working_hours(zone: ZoneInfo) -> WorkingHours:
    """The calendar of the tenant in scope; office hours until it has chosen its own."""
    automation = of_tenant()
    week = automation.working_hours.get("week") if automation else None
    if not week:
        return WorkingHours.office(zone)
    return WorkingHours(zone, tuple(tuple((opens, closes) for opens, closes in day) for day in week))


def next_run(tenant: Tenant) -> Planned | None:
    """The next run of the schedule. None where reports are made by hand or the company is not active."""
    return next(iter(next_runs(tenant, 1)), None)


def next_runs(tenant: Tenant, count: int) -> list[Planned]:
    """The next runs in their order; none where reports are made by hand or the company is not active."""
    automation = of_tenant()
    if automation is None or automation.kind == RunKind.MANUAL or tenant.status != TenantStatus.ACTIVE:
        return []
    return list(islice(coming(automation, ZoneInfo(tenant.timezone), clock.now()), count))


def coming(automation: Automation, zone: ZoneInfo, now: datetime) -> Iterator[Planned]:
    """What a schedule, if nobody changes it, does after `now`; without end."""
    window = closed_window(automation, zone, now)
    while True:
        at = sending_time(automation, window.end, zone)
        if at > now:
            yield Planned(at, window)
        window = _following(automation, window, zone)


def _following(automation: Automation, window: Window, zone: ZoneInfo) -> Window:
    """The window that begins where this one ends."""
    first = _closing_day(window.end, zone, automation.boundary_hour)
    if automation.kind == RunKind.WEEKLY:
        return week_window(first, zone, automation.boundary_hour)
    return (month_window if automation.kind == RunKind.MONTHLY else day_window)(first, zone, automation.boundary_hour)
