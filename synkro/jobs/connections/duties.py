"""Of the tick: connections are checked again, trials whose job was lost are sent again, old results are forgotten."""

from __future__ import annotations

from contextlib import suppress

from synkro.errors import AppError
from synkro.extensions import settings
from synkro.jobs.shared.duty import Duty, over_all
from synkro.services.connections import checks, trials
from synkro.tenancy import system_scope, tenant_scope


def _ask_for_checks() -> None:
    with system_scope("tick"):
        unchecked = checks.due()
    for tenant_id, kind in unchecked:
        with tenant_scope(tenant_id), suppress(AppError):  # a queue that is away is asked again by the next tick
            checks.request(kind)


DUTIES = (
    Duty("checks", _ask_for_checks),
    Duty("trials", over_all(trials.enqueue_again)),
    Duty("results", over_all(lambda: trials.purge(settings().artifact_days))),
)
