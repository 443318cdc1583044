"""A tenant's connections: save settings, build a client, check it, remember the outcome."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from synkro.crypto import CannotOpen
from synkro.errors import AppError
from synkro.extensions import redis, settings
from synkro.i18n import _l
from synkro.infra import clock
from synkro.infra.breaker import RedisBreaker
from synkro.infra.pace import RedisPacer
from synkro.integrations import INTEGRATIONS
from synkro.integrations.base import Integration
from synkro.integrations.errors import ApiError
from synkro.integrations.http.client import HttpClient
from synkro.models import IntegrationConfig
from synkro.services import audit
from synkro.services.connections import amocrm_tokens, hosts, typed_settings
from synkro.services.connections.secrets import open_secrets
from synkro.services.mail import company_notices
from synkro.tenancy import current_tenant_id, db


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
        changed = typed_settings.fill(config, cls, values)
    except AppError:
        db.session.rollback()
        raise
    if typed_settings.host(cls, before) != typed_settings.host(cls, config.settings):
        typed_settings.forget_all_but(config, changed)
        _prove_anew(kind)
    config.version += 1
    config.check_colour = config.check_code = config.checked_at = config.check_requested_at = None
    config.check_params, config.check_stands, config.failures = {}, "", 0
    config.updated_at = config.saved_at = clock.now()
    audit.record("integration_saved", "integration", kind, actor=actor, fields=changed)
    db.session.commit()
    if any(field.name in changed for field in cls.fields if not field.show):
        company_notices.key_changed(config.tenant_id, kind)
    return config


def _prove_anew(kind: str) -> None:
    """What stands on a service that is elsewhere now has to show once more that it does what it is for.

    The rows that amoCRM wrote into one Supabase project prove nothing about another.
    """
    moved, standing_on_it = {kind}, []
    for other, cls in INTEGRATIONS.items():  # in the order of their needs
        if moved.intersection(cls.after):
            moved.add(other)
            standing_on_it.append(other)
    rows = update(IntegrationConfig).where(IntegrationConfig.kind.in_(standing_on_it))
    db.session.execute(rows.values(saved_at=clock.now()))


def _locked(kind: str) -> IntegrationConfig:
    """The row, made if need be and held until the commit: whoever writes settings or tokens writes after the other."""
    empty = {"settings": {}, "secrets": {}, "check_params": {}, "version": 0}
    fresh = insert(IntegrationConfig).values(id=uuid.uuid4(), tenant_id=current_tenant_id(), kind=kind, **empty)
    db.session.execute(fresh.on_conflict_do_nothing())
    statement = select(IntegrationConfig).where(IntegrationConfig.kind == kind).with_for_update()
    return db.session.execute(statement.execution_options(populate_existing=True)).scalar_one()


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
    way_out = http_client(kind)
    db.session.rollback()  # no transaction stays open while a vendor is called
    if kind == "amocrm":
        return amocrm_tokens.client(values, way_out)
    return INTEGRATIONS[kind](values, way_out)


def http_client(kind: str) -> HttpClient:
    """The way out for one service of the tenant in scope."""
    config = settings()
    store = redis()
    approved = hosts.approved(kind)
    return HttpClient(RedisPacer(store), config.stand_ins, config.outbound_allow_hosts, approved, RedisBreaker(store))


def save_setting(kind: str, name: str, value: str, reason: str) -> None:
    """A value that the vendor changed, such as the new id of a group. Does not ask for a new check."""
    config = _locked(kind)
    config.settings = {**config.settings, name: value}
    audit.record("setting_followed", "integration", kind, field=name, reason=reason)
    db.session.commit()
