"""What happens every ten seconds: dead steps return, forgotten doorbells ring, due reports start."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress

from synkro.errors import AppError
from synkro.extensions import settings
from synkro.jobs import frame, post
from synkro.jobs.duties import Duty, fulfil
from synkro.services.audit import heads
from synkro.services.companies import tenants
from synkro.services.connections import checks, trials
from synkro.services.entry import sessions
from synkro.services.mail import outbox
from synkro.services.operations import health
from synkro.services.reporting import artifacts, holding, lateness, runs, schedules, steps
from synkro.services.reporting.holding import Waiting
from synkro.services.reporting.schedules import Due
from synkro.tenancy import system_scope, tenant_scope

log = logging.getLogger(__name__)

TICK = "tick"
QUIET_SECONDS = 30
"""A doorbell that was rung this long ago and not answered is rung again. A double one finds nothing to claim."""


def tick() -> None:
    """May run in any number of copies at once: rows are taken with SKIP LOCKED and unique windows."""
    with frame.job():
        health.mark_tick(fulfil(DUTIES))


def _look_after_steps() -> None:
    with system_scope("tick"):
        steps.close_stopped()
        returned = steps.return_expired()
        bells = steps.due(QUIET_SECONDS)
    for bell in bells:
        runs.ring(bell.tenant_id, bell.run_id, bell.key)
    if returned or bells:
        log.info("tick", extra={"fields": {"returned": returned, "rung": len(bells)}})


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


def _ask_for_checks() -> None:
    with system_scope("tick"):
        unchecked = checks.due()
    for tenant_id, kind in unchecked:
        with tenant_scope(tenant_id), suppress(AppError):  # a queue that is away is asked again by the next tick
            checks.request(kind)


def _tell_of_late() -> None:
    with system_scope("tick"):
        letters = lateness.tell()
    for letter_id in letters:
        outbox.ring(letter_id)


def _over_all(act: Callable[[], object]) -> Callable[[], None]:
    """The act in the scope that sees all companies."""

    def do() -> None:
        with system_scope("tick"):
            act()

    return do


DUTIES: tuple[Duty, ...] = (
    Duty("steps", _look_after_steps),
    Duty("held", _release_held),  # before others begin: they would be in its way
    Duty("schedules", _start_due),
    Duty("checks", _ask_for_checks),
    Duty("trials", _over_all(trials.ring_again)),
    Duty("late", _tell_of_late),
    Duty("letters", post.look_after),
    Duty("pages", _over_all(lambda: artifacts.purge(settings().artifact_days))),
    Duty("results", _over_all(lambda: trials.purge(settings().artifact_days))),
    Duty("sessions", _over_all(sessions.purge)),
    Duty("heads", heads.anchor),
    Duty("deletions", _over_all(tenants.delete_due)),  # last: however long it takes, nobody's reports wait for it
)
"""In this order. A capability that has something to do every ten seconds brings a duty of its own."""
