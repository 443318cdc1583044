"""Checks of connections: asked for once, made by a worker, and their outcome remembered."""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta

from redis.exceptions import RedisError
from sqlalchemy import or_, select, update

from synkro.errors import AppError
from synkro.extensions import redis
from synkro.i18n import _l
from synkro.infra import clock, queue
from synkro.integrations.base import Check, Integration, Stands
from synkro.integrations.errors import ApiError
from synkro.integrations.reading import bounded
from synkro.models import IntegrationConfig, Tenant
from synkro.models.states import TenantStatus
from synkro.services.connections import connection_alerts
from synkro.services.connections.connection_alerts import Change
from synkro.services.connections.integrations import build, find
from synkro.services.shared.sentences import SENTENCES
from synkro.services.shared.wording import remarks
from synkro.tenancy import current_tenant_id, db, end_reading

Offers = dict[str, list[dict[str, str]]]

CHECK = "check"
CHECK_SECONDS = 45
"""Of a check, from its beginning to its colour. What there is to tell is told by a job of its own."""
AGAIN, RED_AGAIN, PAUSED_AGAIN = timedelta(days=1), timedelta(hours=1), timedelta(days=7)
AT_IT = timedelta(minutes=30)
"""For so long after a save somebody is at it, and sees the colour."""
MOST_AT_ONCE = 20
"""Of checks that nobody asked for, in one tick."""
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
    if not queue.enqueue(redis(), queue.CHECKS, CHECK, config.tenant_id, kind, seconds=CHECK_SECONDS):
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


def version_of(kind: str) -> int:
    """Of the settings that are saved now; 0 where none are."""
    config = find(kind)
    return config.version if config else 0


def run(kind: str) -> Check:
    """Make the check and store its outcome. Runs in a worker, with the same calls as a run."""
    with suppress(RedisError):  # only whoever waits would like to know
        redis().set(_begun_key(kind), clock.now().timestamp(), ex=2 * PATIENCE_SECONDS)
    version, started = version_of(kind), time.monotonic()
    offers = None
    try:
        client = build(kind)
        outcome = client.check()
        offers = _offers(client)
    except ApiError as error:
        stands: Stands = "choice" if error.is_choice else ""
        outcome = Check("red", error.code, error.params, stands, passing=error.passing)
        offers = _offers(client) if error.is_choice else None
    if config := _held(kind, version):
        _store(config, outcome, time.monotonic() - started, offers)
    return outcome


def _offers(client: Integration) -> Offers | None:
    """Field -> what there is to choose from, for the form. None where it cannot be learnt: what was known stays."""
    try:
        found = client.offers()
    except ApiError:
        return None
    offers: Offers = bounded({name: [asdict(offer) for offer in offered] for name, offered in found.items()})
    return offers


def break_off(kind: str, version: int, code: str, began: datetime) -> None:
    """The check of these settings took too long, or it broke on our side. An outcome that it had by then stays."""
    db.session.rollback()
    config = _held(kind, version)
    if config is None or (config.checked_at and config.checked_at >= began):
        db.session.rollback()
        return
    _store(config, Check("red", code, passing=True), (clock.now() - began).total_seconds(), None)


def _held(kind: str, version: int) -> IntegrationConfig | None:
    """Only for the settings that were checked: a save in between asks for a new check."""
    mine = select(IntegrationConfig).where(IntegrationConfig.kind == kind, IntegrationConfig.version == version)
    held = mine.with_for_update().execution_options(populate_existing=True)
    config = db.session.execute(held).scalar_one_or_none()
    if config is None:
        db.session.rollback()
    return config


def _store(config: IntegrationConfig, outcome: Check, seconds: float, offers: Offers | None) -> None:
    config.check_colour, config.check_code, config.check_params = outcome.colour, outcome.code, bounded(outcome.params)
    config.check_stands = outcome.stands
    config.checked_at, config.checked_seconds, config.check_requested_at = clock.now(), seconds, None
    if offers is not None:
        config.offers = offers
    if change := _change(config, passing=outcome.passing):
        is_as_before = {config.news, change} == {"broken", "mended"}
        config.news = "" if is_as_before else change  # nobody has heard otherwise
    db.session.commit()


def pass_on(kind: str) -> None:
    """Have a worker tell what there is to tell. Where none can be told of it now, the next check passes it on."""
    config = find(kind)
    if config and config.news:
        queue.enqueue(
            redis(),
            queue.CHECKS,
            connection_alerts.TELL,
            config.tenant_id,
            kind,
            seconds=connection_alerts.TELL_SECONDS,
        )


def _works(config: IntegrationConfig) -> bool:
    return config.check_colour != "red" and not config.check_stands


def _change(config: IntegrationConfig, *, passing: bool) -> Change | None:
    """What people have to be told, once: it no longer works, works again, or works with a remark.

    Never about what never worked. A trouble that passes by itself is told of only when the next check meets it, too,
    and one that a person has just saved when that person has left it so.
    """
    now = clock.now()
    is_at_it = config.saved_at is not None and now - config.saved_at < AT_IT
    if config.check_stands == "unsure":
        return None
    if _works(config):
        mended, was_known = config.told_broken_at is not None, config.worked_at is not None and not is_at_it
        remark = (config.check_code or "") if config.check_colour == "yellow" else ""
        is_news = was_known and remark not in ("", config.told_remark)
        config.worked_at, config.failures, config.told_broken_at, config.told_remark = now, 0, None, remark
        if mended:
            return "mended"
        return "remark" if is_news else None
    config.failures += 1
    if config.worked_at is None or config.told_broken_at or is_at_it or (passing and config.failures < 2):
        return None
    config.told_broken_at = now
    return "broken"


def due() -> list[tuple[uuid.UUID, str]]:
    """(tenant, kind) of what nobody has looked at for a day; what does not work, for an hour. Needs the system scope.

    A paused company is looked at once a week: a refresh token that nobody uses for three months ends (amoCRM).
    """
    now, checked = clock.now(), IntegrationConfig.checked_at
    is_bad = (IntegrationConfig.check_colour == "red") | (IntegrationConfig.check_stands == "idle")
    is_late = (checked < now - AGAIN) | (is_bad & (checked < now - RED_AGAIN))
    is_active = (Tenant.status == TenantStatus.ACTIVE) & is_late
    is_paused = (Tenant.status == TenantStatus.PAUSED) & (checked < now - PAUSED_AGAIN)
    asked = IntegrationConfig.check_requested_at
    statement = (
        select(IntegrationConfig.tenant_id, IntegrationConfig.kind)
        .join(Tenant, Tenant.id == IntegrationConfig.tenant_id)
        .where(asked.is_(None) | (asked < now - RED_AGAIN), is_active | is_paused)
        .order_by(checked)
        .limit(MOST_AT_ONCE)
    )
    found = [(row.tenant_id, row.kind) for row in db.session.execute(statement)]
    end_reading()
    return found


def says(config: IntegrationConfig) -> str:
    """What the last check has to say."""
    return remarks(config.check_code, config.check_params)
