"""The one function that workers call for a step: claim it, do it, and say how it ended."""

from __future__ import annotations

import json
import logging
import random
import uuid
from contextlib import suppress
from typing import Any

from flask import Flask, current_app
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from synkro.errors import AppError
from synkro.extensions import settings
from synkro.integrations.errors import ApiError, Gone
from synkro.jobs.reports.pipeline import STEPS
from synkro.jobs.reports.step import Ctx, Done, LeaseKeeper
from synkro.jobs.shared import frame
from synkro.models.plan import BY_KEY
from synkro.services.connections import checks
from synkro.services.reports import artifacts, runs, steps
from synkro.services.reports.steps import LeaseLost, StepClaim
from synkro.tenancy import db

log = logging.getLogger(__name__)


class Stopping(BaseException):
    """The worker was asked to end: the step goes back to ready, and the try is not counted."""


def work(tenant_id: str, run_id: str, key: str) -> None:
    """Do a step if it is there to be done. Arguments are ids only: they lie in Redis."""
    with frame.job(tenant_id, run_id=run_id, step=key):
        claim = steps.claim(uuid.UUID(run_id), key, settings().lease_seconds)
        if claim is None:
            log.info("nothing to claim")
            return
        _attempt(claim)


def _attempt(claim: StepClaim) -> None:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001

    def end(code: str) -> None:
        _after_trouble(claim, code, {}, passing=True)

    with LeaseKeeper(app, claim) as lease_keeper, frame.ended("step", end, too_long="step_too_long"):
        if following := _try(claim, lease_keeper):
            runs.enqueue(claim.tenant_id, claim.run_id, following)


def _try(claim: StepClaim, lease_keeper: LeaseKeeper) -> str | None:
    """The key of the next step, or None when this one did not end well or was the last."""
    try:
        return _finish(claim, lease_keeper, _run(claim, lease_keeper))
    except LeaseLost:
        db.session.rollback()
        log.info("claim lost")
        steps.let_go(claim)
    except ApiError as error:
        spent = error.most_tries is not None and claim.attempt >= error.most_tries
        _after_trouble(claim, error.code, error.params, passing=error.passing and not spent, wait=error.retry_after)
    except OperationalError:
        # the database went away: the lease runs out and the tick gives the step back
        db.session.rollback()
        log.warning("database lost")
    except Stopping:
        db.session().invalidate()
        steps.try_again(claim, "worker_stopping", "{}", 0, counted=False)
    return None


def _finish(claim: StepClaim, lease_keeper: LeaseKeeper, done: Done) -> str | None:
    told = {**done.params, **({"notices": done.notices} if done.notices else {})}
    following = steps.finish(claim, done.colour, done.code, _json(told), lease_keeper.done, lease_keeper.total)
    if (done.code or "").startswith(f"{BY_KEY[claim.key].service}_"):
        _have_it_checked(claim.key)  # a remark of the service, not of what was found in it
    return following


def _run(claim: StepClaim, lease_keeper: LeaseKeeper) -> Done:
    run = runs.find(claim.run_id)
    if run is None:
        raise LeaseLost
    if not artifacts.remain(run.id, claim.key):
        raise Gone("pages_deleted")
    # else every look at it after a rollback would be a query, and leave a transaction open during the vendor's call
    db.session.expunge(run)
    db.session.rollback()
    return STEPS[claim.key].run(Ctx(claim, run, lease_keeper))


def _after_trouble(
    claim: StepClaim, code: str, params: dict[str, Any], *, passing: bool, wait: float | None = None
) -> None:
    """Try again later if that can help and tries are left; else the step and the run have failed."""
    db.session.rollback()
    pause = steps.next_pause(claim.key, claim.attempt) if passing else None
    if pause is None:
        log.warning("step failed", extra={"fields": {"code": code}})
        steps.fail(claim, code, _json(params))
        if code != "pages_deleted":  # retention's doing: no service was asked
            _have_it_checked(claim.key)
        return
    # jitter: many tenants that were turned away together do not come back together
    seconds = max(min(wait or 0, steps.LONGEST_PAUSE), pause * random.uniform(0.8, 1.2))  # noqa: S311
    log.info("step waits", extra={"fields": {"code": code, "pause": round(seconds)}})
    steps.try_again(claim, code, _json(params), seconds)


def _have_it_checked(key: str) -> None:
    """A step that stumbled may mean that its service no longer works: a check tells, by the same calls."""
    with suppress(AppError, RedisError):
        if kind := BY_KEY[key].service:
            checks.request(kind)


def _json(params: dict[str, Any]) -> str:
    return json.dumps(params, ensure_ascii=False, default=str)
