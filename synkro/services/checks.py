"""Checks of connections: asked for once, made by a worker, and their outcome remembered."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta

from redis.exceptions import RedisError
from sqlalchemy import or_, update

from synkro import clock, queue
from synkro.errors import AppError
from synkro.extensions import redis
from synkro.i18n import _l
from synkro.integrations.base import Check, Integration
from synkro.integrations.errors import ApiError
from synkro.models import IntegrationConfig
from synkro.services.integrations import build, find
from synkro.services.wording import SENTENCES, sentence
from synkro.tenancy import current_tenant_id, db

Offers = dict[str, list[dict[str, str]]]

CHECK = "synkro.jobs.checks.check"
CHOICE_IS_DUE = frozenset({"radist_choose_company"})
"""Refusals that end when a person chooses from what is offered."""
CHECK_SECONDS = 45
"""Of a check, from its beginning to its colour."""
PATIENCE_SECONDS = 60
"""A request that nobody has taken up for so long is asked for anew. Longer than a check: one may lie before it."""


def request(kind: str) -> datetime:
    """Ask a worker to check; pressing again while one is asked for makes no second one. The time of the request.

    Raises AppError("queue_away") when no worker can be told: then nothing is asked for.
    """
    now = clock.now()
    asked, quiet = IntegrationConfig.check_requested_at, now - timedelta(seconds=PATIENCE_SECONDS)
    taken = db.session.execute(
        update(IntegrationConfig)
        .where(IntegrationConfig.kind == kind, or_(asked.is_(None), asked <= quiet))
        .values(check_requested_at=now)
    )
    db.session.commit()
    config = find(kind)
    if config is None:
        raise AppError(404, f"{kind}_not_connected", _l("This service is not connected yet"))
    if not taken.rowcount:  # type: ignore[attr-defined]
        return config.check_requested_at or now
    if not queue.ring(redis(), queue.CHECKS, CHECK, config.tenant_id, kind, seconds=CHECK_SECONDS):
        _withdraw(kind, now)
        raise AppError(503, "queue_away", SENTENCES["queue_away"])
    return now


def _withdraw(kind: str, requested_at: datetime) -> None:
    asked = IntegrationConfig.check_requested_at
    db.session.execute(
        update(IntegrationConfig)
        .where(IntegrationConfig.kind == kind, asked == requested_at)
        .values(check_requested_at=None)
    )
    db.session.commit()


def _begun_key(kind: str) -> str:
    return f"check_begun:{current_tenant_id()}:{kind}"


def has_begun(kind: str, since: datetime) -> bool:
    """True when a worker has taken up a check that was asked for then. Raises RedisError."""
    begun = redis().get(_begun_key(kind))
    return begun is not None and float(begun) >= since.timestamp()


def nobody_came(config: IntegrationConfig) -> bool:
    """A check was asked for a while ago, and no worker has taken it up."""
    asked = config.check_requested_at
    if asked is None or clock.now() - asked <= timedelta(seconds=PATIENCE_SECONDS):
        return False
    try:
        return not has_begun(config.kind, asked)
    except RedisError:
        return True


def run(kind: str) -> Check:
    """Make the check and store its outcome. Runs in a worker, with the same calls as a run."""
    with suppress(RedisError):  # only whoever waits would like to know
        redis().set(_begun_key(kind), clock.now().timestamp(), ex=2 * PATIENCE_SECONDS)
    config = find(kind)
    version = config.version if config else 0
    started = time.monotonic()
    offers: Offers | None = None
    try:
        client = build(kind)
        outcome = client.check()
        offers = _offers(client)
    except ApiError as error:
        outcome = Check("red", error.code, error.params)
        offers = _offers(client) if error.code in CHOICE_IS_DUE else None
    _store(kind, version, outcome, time.monotonic() - started, offers)
    return outcome


def _offers(client: Integration) -> Offers | None:
    """Field -> what there is to choose from, for the form. None where it cannot be learnt: what was known stays."""
    try:
        return {name: [asdict(offer) for offer in offered] for name, offered in client.offers().items()}
    except ApiError:
        return None


def break_off(kind: str, code: str) -> None:
    """The check came to no end of its own: it took too long, or it broke on our side."""
    db.session.rollback()
    config = find(kind)
    _store(kind, config.version if config else 0, Check("red", code), CHECK_SECONDS)


def _store(kind: str, version: int, outcome: Check, seconds: float, offers: Offers | None = None) -> None:
    """Only for the settings that were checked: a save in between asks for a new check."""
    known = {} if offers is None else {"offers": offers}
    db.session.execute(
        update(IntegrationConfig)
        .where(IntegrationConfig.kind == kind, IntegrationConfig.version == version)
        .values(
            check_colour=outcome.colour,
            check_code=outcome.code,
            check_params=outcome.params,
            checked_at=clock.now(),
            checked_seconds=seconds,
            check_requested_at=None,
            **known,
        )
    )
    db.session.commit()


def says(config: IntegrationConfig) -> str:
    """The sentence of the last check."""
    return sentence(config.check_code, config.check_params) if config.check_code else ""
