"""Of the tick: dead steps return, forgotten jobs are sent again, due and held reports go, late ones are told of."""

from __future__ import annotations

import logging
from contextlib import suppress

from synkro.errors import AppError
from synkro.extensions import settings
from synkro.jobs.shared.duty import Duty, over_all
from synkro.services.companies import tenants
from synkro.services.mail import outbox
from synkro.services.reports import artifacts, holding, lateness, runs, schedules, steps
from synkro.services.reports.holding import Waiting
from synkro.services.reports.schedules import Due
from synkro.tenancy import system_scope, tenant_scope

log = logging.getLogger(__name__)

QUIET_SECONDS = 30
"""A job that was enqueued this long ago and not answered is enqueued again. A double one finds nothing to claim."""


def _look_after_steps() -> None:
    with system_scope("tick"):
        steps.close_stopped()
        returned = steps.return_expired()
        due_steps = steps.due(QUIET_SECONDS)
    for step in due_steps:
        runs.enqueue(step.tenant_id, step.run_id, step.key)
    if returned or due_steps:
        log.info("tick", extra={"fields": {"returned": returned, "enqueued": len(due_steps)}})


def _release_held() -> None:
    with system_scope("tick"):
        held = holding.due()
    for waiting in held:
        _release(waiting)


def _release(waiting: Waiting) -> None:
    with tenant_scope(waiting.tenant_id), suppress(AppError):  # retention may have taken what was to be sent
        holding.release(waiting.report_id, None)


def _start_due() -> None:
    with system_scope("tick"):
        due = schedules.due_now()
    for one in due:
        _start(one)


def _start(due: Due) -> None:
    """A tenant whose other run is active keeps its turn: the window stays due."""
    with tenant_scope(due.tenant_id):
        try:
            tenant = tenants.get(due.tenant_id)
            run, started = runs.start(tenant, due.kind, due.window.start, due.window.end, actor="schedule")
        except AppError as error:
            log.warning("due run refused", extra={"fields": {"code": error.code, "tenant_id": str(due.tenant_id)}})
            return
        if started:
            log.info("due run started", extra={"fields": {"run_id": str(run.id), "kind": str(due.kind)}})


def _tell_of_late() -> None:
    with system_scope("tick"):
        letters = lateness.tell()
    for letter_id in letters:
        outbox.enqueue(letter_id)


DUTIES = (
    Duty("steps", _look_after_steps),
    Duty("held", _release_held),  # before others begin: they would be in its way
    Duty("schedules", _start_due),
    Duty("late", _tell_of_late),
    Duty("pages", over_all(lambda: artifacts.purge(settings().artifact_days))),
)
