"""What these tests share: many callers at one moment, and steps that are taken by hand."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from flask import Flask

from synkro.models import JobRun, JobStep, Tenant
from synkro.models.plan import PLAN, StepKey
from synkro.models.states import RunKind
from synkro.services.reports import runs, steps
from synkro.services.reports.steps import StepClaim
from synkro.tenancy import db, tenant_scope

T = TypeVar("T")

KEYS = [plan.key for plan in PLAN]
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def at_once(app: Flask, tenant: Tenant, count: int, work: Callable[[int], T]) -> list[T]:
    """The results of `count` threads that begin together, each in a context and a scope of its own."""
    gate = threading.Barrier(count)

    def one(number: int) -> T:
        with app.app_context(), tenant_scope(tenant.id):
            gate.wait(120)
            return work(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def begin(tenant: Tenant, kind: RunKind = RunKind.MANUAL, start: datetime = NOON) -> uuid.UUID:
    with tenant_scope(tenant.id):
        return runs.start(tenant, kind, start, start + DAY)[0].id


def take(tenant: Tenant, run_id: uuid.UUID, key: StepKey, lease: int = 60) -> StepClaim | None:
    with tenant_scope(tenant.id):
        return steps.claim(run_id, key, lease)


def taken(tenant: Tenant, run_id: uuid.UUID, key: StepKey, lease: int = 60) -> StepClaim:
    claim = take(tenant, run_id, key, lease)
    assert claim is not None
    return claim


def done(tenant: Tenant, run_id: uuid.UUID, count: int) -> None:
    """Take the next `count` steps to their end."""
    _, rows = state(tenant, run_id)
    first = next(step.n for step in rows if step.status == "ready") - 1
    for key in KEYS[first : first + count]:
        with tenant_scope(tenant.id):
            steps.finish(taken(tenant, run_id, key), "green", None, "{}", 0, None)


def failed(tenant: Tenant, run_id: uuid.UUID, key: StepKey) -> None:
    with tenant_scope(tenant.id):
        steps.fail(taken(tenant, run_id, key), "server_error", "{}")


def state(tenant: Tenant, run_id: uuid.UUID) -> tuple[JobRun, list[JobStep]]:
    with tenant_scope(tenant.id):
        run = runs.find(run_id)
        assert run is not None
        return run, runs.steps_of(run_id)


def statuses(tenant: Tenant, run_id: uuid.UUID) -> list[str]:
    return [step.status for step in state(tenant, run_id)[1]]


def expire(tenant: Tenant, run_id: uuid.UUID) -> None:
    """The leases of the run's steps ran out a second ago."""
    with tenant_scope(tenant.id):
        for step in runs.steps_of(run_id):
            step.lease_until = datetime.now(UTC) - timedelta(seconds=1)
        db.session.commit()
