"""amoCRM's access tokens: one refresh for any number of workers, and never a loop on a refused one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from synkro import clock
from synkro.extensions import settings
from synkro.integrations import amocrm_oauth
from synkro.integrations.amocrm_oauth import App, Tokens
from synkro.integrations.amocrm_rules import Address, account_address
from synkro.integrations.errors import ApiError, Refused
from synkro.integrations.http import Door
from synkro.models import IntegrationConfig, Tenant
from synkro.services import audit
from synkro.services.secrets import open_secrets, seal_secret
from synkro.tenancy import current_tenant_id, db

KIND = "amocrm"


def redirect_uri(slug: str) -> str:
    """What the client types into the integration's settings in amoCRM, letter for letter."""
    return f"{settings().base_url}/integrations/amocrm/callback/{slug}"


def fresh(values: Mapping[str, str], door: Door) -> dict[str, str]:
    """The settings with an access token that is alive. Raises Refused("amocrm_reconnect")."""
    if values.get("token") or not _expired(values):
        return dict(values)
    return _refreshed(door)


def _expired(values: Mapping[str, str]) -> bool:
    return int(values.get("expires_at") or 0) <= time.time()


def _refreshed(door: Door) -> dict[str, str]:
    """The row stays locked during the call: whoever waited for it finds the new pair and makes no call of its own.

    The pair is saved in the transaction that holds the lock, before it is used: the old token is spent by then.
    """
    statement = select(IntegrationConfig).where(IntegrationConfig.kind == KIND).with_for_update()
    config = db.session.execute(statement.execution_options(populate_existing=True)).scalar_one()
    values = {**config.settings, **open_secrets(config)}
    if not _expired(values):
        db.session.rollback()
        return values
    if not values.get("refresh_token"):
        db.session.rollback()
        raise Refused("amocrm_reconnect")
    try:
        tokens = amocrm_oauth.refresh(
            door, _app(values), _address(values), values["refresh_token"], values.get("access_token", "")
        )
    except ApiError as error:
        if error.code == "amocrm_reconnect":
            # remembered, so that the next hundred calls do not knock at a closed door
            _forget(config)
        db.session.rollback()
        raise
    keep(config, tokens)
    return {**config.settings, **open_secrets(config)}


def _app(values: Mapping[str, Any]) -> App:
    tenant = db.session.get(Tenant, current_tenant_id())
    slug = tenant.slug if tenant else ""
    return App(values.get("client_id", ""), values.get("client_secret", ""), redirect_uri(slug))


def _address(values: Mapping[str, str]) -> Address:
    return account_address(values.get("subdomain", ""), values.get("zone", ""))


def keep(config: IntegrationConfig, tokens: Tokens) -> None:
    """Save a pair and where the account lives now; commits."""
    config.settings = {
        **config.settings,
        "expires_at": str(tokens.expires_at),
        "subdomain": tokens.address.subdomain,
        "zone": tokens.address.zone,
    }
    config.secrets = {
        **config.secrets,
        "access_token": seal_secret(KIND, "access_token", tokens.access_token),
        "refresh_token": seal_secret(KIND, "refresh_token", tokens.refresh_token),
    }
    config.updated_at = clock.now()
    audit.record("token_renewed", "integration", KIND)
    db.session.commit()


def _forget(config: IntegrationConfig) -> None:
    config.secrets = {name: token for name, token in config.secrets.items() if name != "refresh_token"}
    config.check_colour, config.check_code, config.check_params = "red", "amocrm_reconnect", {}
    config.checked_at = clock.now()
    audit.record("token_refused", "integration", KIND)
    db.session.commit()
