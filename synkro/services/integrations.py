"""A tenant's connections: save settings, build a client, check it, remember the outcome."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from synkro import clock
from synkro.breaker import RedisBreaker
from synkro.crypto import CannotOpen
from synkro.errors import AppError
from synkro.extensions import redis, settings
from synkro.i18n import _l
from synkro.integrations import INTEGRATIONS
from synkro.integrations.base import Field, Integration
from synkro.integrations.errors import ApiError
from synkro.integrations.http import Door, host_port
from synkro.models import IntegrationConfig
from synkro.pace import RedisPacer
from synkro.services import amocrm_tokens, audit, hosts, notices
from synkro.services.secrets import open_secrets, seal_secret
from synkro.tenancy import current_tenant_id, db

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
    before = config.settings
    try:
        changed = _fill(config, cls, values)
    except AppError:
        db.session.rollback()
        raise
    if _place(cls, before) != _place(cls, config.settings):
        _forget_all_but(config, changed)
    config.version += 1
    config.check_colour = config.check_code = config.checked_at = config.check_requested_at = None
    config.check_params, config.failures = {}, 0
    config.updated_at = config.saved_at = clock.now()
    audit.record("integration_saved", "integration", kind, actor=actor, fields=changed)
    db.session.commit()
    if any(field.name in changed for field in cls.fields if not field.show):
        notices.key_changed(config.tenant_id, kind)
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
    tidy = cls.tidied({name: value.strip() for name, value in values.items() if value})
    for field in cls.fields:
        given, value = values.get(field.name, ""), tidy.get(field.name, "")
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


def _place(cls: type[Integration], settings: Mapping[str, str]) -> list[str]:
    """Where the service is, as its settings say. Nothing chosen is the first choice."""
    return [settings.get(field.name) or next(iter(field.choices), "") for field in cls.fields if field.place]


def _forget_all_but(config: IntegrationConfig, given: Sequence[str]) -> None:
    """A key goes nowhere but where it was given for, and what one place offers is no choice at another."""
    config.secrets = {name: sealed for name, sealed in config.secrets.items() if name in given}
    stale = config.offers.keys() - set(given)
    config.settings = {name: value for name, value in config.settings.items() if name not in stale}
    config.offers = {}


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
    way_out = door(kind)
    db.session.rollback()  # no transaction stays open while a vendor is called
    if kind == "amocrm":
        return amocrm_tokens.client(values, way_out)
    return INTEGRATIONS[kind](values, way_out)


def door(kind: str) -> Door:
    """The way out for one service of the tenant in scope."""
    config = settings()
    store = redis()
    approved = hosts.approved(kind)
    return Door(RedisPacer(store), config.stand_ins, config.outbound_allow_hosts, approved, RedisBreaker(store))


def save_setting(kind: str, name: str, value: str, reason: str) -> None:
    """A value that the vendor changed, such as the new id of a group. Does not ask for a new check."""
    config = _locked(kind)
    config.settings = {**config.settings, name: value}
    audit.record("setting_followed", "integration", kind, field=name, reason=reason)
    db.session.commit()
