"""The schedule as a person chooses it: zone, language, times and calendar, saved together or not at all."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from synkro.analysis.figures.calendar import DayHours
from synkro.errors import AppError
from synkro.i18n import _l
from synkro.infra import clock
from synkro.integrations.amocrm.client import Amocrm
from synkro.models import Automation, Tenant
from synkro.models.states import RunKind
from synkro.services import audit
from synkro.services.companies import tenants
from synkro.services.connections import integrations, setup
from synkro.services.reports import schedules
from synkro.tenancy import db

GOES_WELL = ("green", "yellow")
TIMING = frozenset({"timezone", "kind", "at", "weekday", "boundary_hour"})
"""What decides when reports are due."""


@dataclass(frozen=True, slots=True)
class Choice:
    """at, not_later_than: local. week: seven days from Monday. not_later_than None: no such time."""

    timezone: str
    language: str
    kind: RunKind
    at: time
    weekday: int
    boundary_hour: int
    week: tuple[DayHours, ...]
    is_held: bool
    not_later_than: time | None

    def columns(self) -> dict[str, Any]:
        return {
            "kind": str(self.kind),
            "at": self.at,
            "weekday": self.weekday,
            "boundary_hour": self.boundary_hour,
            "working_hours": {"week": [[list(span) for span in day] for day in self.week]},
            "is_held": self.is_held,
            "not_later_than": self.not_later_than,
        }


def current(tenant: Tenant) -> Choice:
    """What is in force; before the first choice what is proposed, in the zone of the amoCRM account."""
    automation = schedules.of_tenant()
    week = schedules.working_hours(ZoneInfo(tenant.timezone)).week
    if automation is None:
        zone = _zone_of_crm() or tenant.timezone
        return Choice(zone, tenant.language, RunKind.DAILY, time(7), 0, 0, week, is_held=False, not_later_than=None)
    return Choice(
        timezone=tenant.timezone,
        language=tenant.language,
        kind=RunKind(automation.kind),
        at=automation.at,
        weekday=automation.weekday,
        boundary_hour=automation.boundary_hour,
        week=week,
        is_held=automation.is_held,
        not_later_than=automation.not_later_than,
    )


def _zone_of_crm() -> str:
    """The zone of the account, where the last check that went well has seen one; '' else."""
    config = integrations.find(Amocrm.kind)
    name = str(config.check_params.get("zone", "")) if config and config.check_colour in GOES_WELL else ""
    try:
        return tenants.zone(name).key
    except AppError:
        return ""


def is_locked() -> bool:
    """Whether something has to be connected before there can be a schedule."""
    return not setup.steps()[-1].is_open


def save(tenant_id: uuid.UUID, choice: Choice) -> bool:
    """False: nothing was different. A report that is being made goes on as it began. Raises AppError."""
    if is_locked():
        raise AppError(409, "schedule_locked", _l("Connect the services first: until then there is nothing to report."))
    _check_answer(choice)
    # from here on the company is held: of two who save for the first time one makes the row
    changed = tenants.settle(tenant_id, choice.timezone, choice.language)
    current = select(Automation).execution_options(populate_existing=True)
    automation = db.session.execute(current).scalar_one_or_none() or Automation(tenant_id=tenant_id)
    changed += _fill(automation, choice.columns())
    if not TIMING.isdisjoint(changed):
        automation.updated_at = clock.now()  # with other times it begins anew; else a window that is due stays due
    db.session.add(automation)
    if changed:
        audit.record("schedule_saved", "tenant", tenant_id, fields=changed)
    db.session.commit()
    return bool(changed)


def _fill(automation: Automation, columns: dict[str, Any]) -> list[str]:
    """The names of what has changed."""
    changed = [name for name, value in columns.items() if getattr(automation, name) != value]
    for name in changed:
        setattr(automation, name, columns[name])
    return changed


def _check_answer(choice: Choice) -> None:
    if not any(choice.week):
        raise AppError(422, "no_working_day", _l("Choose at least one working day"))
    if choice.not_later_than == choice.at and choice.kind != RunKind.MANUAL:
        raise AppError(422, "no_time_left", _l("Choose a later time: making a report takes a few minutes"))
