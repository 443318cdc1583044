"""A tenant's connections: save settings, build a client, check it, remember the outcome."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from redis.exceptions import RedisError
from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert

from synkro import clock, queue
from synkro.crypto import CannotOpen
from synkro.errors import AppError
from synkro.extensions import redis, settings
from synkro.i18n import _l
from synkro.integrations import INTEGRATIONS
from synkro.integrations.base import Check, Field, Integration
from synkro.integrations.errors import ApiError
from synkro.integrations.http import Door, host_port
from synkro.models import IntegrationConfig
from synkro.pace import RedisPacer
from synkro.services import amocrm_tokens, audit
from synkro.services.secrets import open_secrets, seal_secret
from synkro.services.wording import SENTENCES, sentence
from synkro.tenancy import current_tenant_id, db

CHECK = "synkro.jobs.checks.check"
CHECK_SECONDS = 45
"""Of a check, from its beginning to its colour."""
PATIENCE_SECONDS = 60
"""A request that nobody has taken up for so long is asked for anew. Longer than a check: one may lie before it."""
LONGEST_VALUE = 8_000


class NotConnected(ApiError):
    """The tenant has not filled in this service."""


class KeysUnreadable(ApiError):
    """What was saved does not open: sealed with a key of the installation that is gone, or changed by hand."""


def find(kind: str) -> IntegrationConfig | None:
    statement = select(IntegrationConfig).where(IntegrationConfig.kind == kind)
    return db.session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()


def save(kind: str, values: Mapping[str, str | None], *, actor: str = "") -> IntegrationConfig:
    """Store what was typed. An empty secret keeps the old one, None removes any value.

    Raises AppError for what is no field of the kind, an impossible value and one that is not among the choices.
    """
    cls = INTEGRATIONS[kind]
    if unknown := set(values) - {field.name for field in cls.fields}:
        raise AppError(422, "unknown_field", _l("Unknown field: %(names)s", names=", ".join(sorted(unknown))))
    config = _locked(kind)
    try:
        changed = _fill(config, cls, values)
    except AppError:
        db.session.rollback()
        raise
    config.version += 1
    config.check_colour = config.check_code = config.checked_at = config.check_requested_at = None
    config.check_params = {}
    config.updated_at = clock.now()
    audit.record("integration_saved", "integration", kind, actor=actor, fields=changed)
    db.session.commit()
    return config


def _locked(kind: str) -> IntegrationConfig:
    """The row, made if need be and held until the commit: whoever writes settings or tokens writes after the other."""
    empty = {"settings": {}, "secrets": {}, "check_params": {}, "version": 0}
    fresh = insert(IntegrationConfig).values(id=uuid.uuid4(), tenant_id=current_tenant_id(), kind=kind, **empty)
    db.session.execute(fresh.on_conflict_do_nothing())
    statement = select(IntegrationConfig).where(IntegrationConfig.kind == kind).with_for_update()
    return db.session.execute(statement.execution_options(populate_existing=True)).scalar_one()


def _fill(config: IntegrationConfig, cls: type[Integration], values: Mapping[str, str | None]) -> list[str]:
    """Names of the fields that were changed. JSON columns are replaced, since changes inside them go unnoticed."""
    shown, secrets, changed = dict(config.settings), dict(config.secrets), []
    for field in cls.fields:
        given = values.get(field.name, "")
        value = (given or "").strip()
        if field.name not in values or (given is not None and not value and not field.show):
            continue
        _verify(field, value)
        changed.append(field.name)
        if given is None:
            shown.pop(field.name, None)
            secrets.pop(field.name, None)
        elif field.show:
            shown[field.name] = value
        else:
            secrets[field.name] = seal_secret(config.kind, field.name, value)
    config.settings, config.secrets = shown, secrets
    return changed


def _verify(field: Field, value: str) -> None:
    if len(value) > LONGEST_VALUE or "\x00" in value:
        raise AppError(422, "bad_value", _l("This value is not possible"))
    if value and field.choices and value.rstrip("/") not in field.choices and not _is_listed(field, value):
        says = _l("%(field)s has to be one of: %(choices)s", field=field.name, choices=", ".join(field.choices))
        raise AppError(422, "bad_choice", says)


def _is_listed(field: Field, value: str) -> bool:
    """Where addresses are offered, one that the operator has opened is as good: the way to a stand-in."""
    if field.name != "base_url":
        return False
    try:
        return host_port(value) in settings().outbound_allow_hosts
    except ValueError:
        return False


def is_connected(kind: str) -> bool:
    return _is_complete(find(kind))


def _is_complete(config: IntegrationConfig | None) -> bool:
    return config is not None and not INTEGRATIONS[config.kind].missing({**config.settings, **config.secrets})


def build(kind: str) -> Integration:
    """A client with the tenant's own keys. Raises NotConnected, or ApiError where a token cannot be renewed."""
    config = find(kind)
    if config is None or not _is_complete(config):
        raise NotConnected(f"{kind}_not_connected")
    try:
        values = {**config.settings, **open_secrets(config)}
    except CannotOpen:
        raise KeysUnreadable("keys_unreadable") from None
    db.session.rollback()  # no transaction stays open while a vendor is called
    if kind == "amocrm":
        return amocrm_tokens.client(values, door())
    return INTEGRATIONS[kind](values, door())


def door() -> Door:
    config = settings()
    return Door(RedisPacer(redis()), config.stand_ins, config.outbound_allow_hosts)


def request_check(kind: str) -> datetime:
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


def run_check(kind: str) -> Check:
    """Make the check and store its outcome. Runs in a worker, with the same calls as a run."""
    with suppress(RedisError):  # only whoever waits would like to know
        redis().set(_begun_key(kind), clock.now().timestamp(), ex=2 * PATIENCE_SECONDS)
    config = find(kind)
    version = config.version if config else 0
    started = time.monotonic()
    try:
        outcome = build(kind).check()
    except ApiError as error:
        outcome = Check("red", error.code, error.params)
    _store(kind, version, outcome, time.monotonic() - started)
    return outcome


def break_check(kind: str, code: str) -> None:
    """The check came to no end of its own: it took too long, or it broke on our side."""
    db.session.rollback()
    config = find(kind)
    _store(kind, config.version if config else 0, Check("red", code), CHECK_SECONDS)


def _store(kind: str, version: int, outcome: Check, seconds: float) -> None:
    """Only for the settings that were checked: a save in between asks for a new check."""
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
        )
    )
    db.session.commit()


def says(config: IntegrationConfig) -> str:
    """The sentence of the last check."""
    return sentence(config.check_code, config.check_params) if config.check_code else ""


def save_setting(kind: str, name: str, value: str, reason: str) -> None:
    """A value that the vendor changed, such as the new id of a group. Does not ask for a new check."""
    config = _locked(kind)
    config.settings = {**config.settings, name: value}
    audit.record("setting_followed", "integration", kind, field=name, reason=reason)
    db.session.commit()
