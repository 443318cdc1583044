"""amoCRM's access tokens: one exchange or refresh for any number of workers, and never a loop on a refused one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial

from sqlalchemy import select

from synkro.extensions import settings
from synkro.infra import clock
from synkro.integrations.amocrm import oauth
from synkro.integrations.amocrm.client import Amocrm
from synkro.integrations.amocrm.oauth import REFUSALS, App, Tokens
from synkro.integrations.amocrm.rules import account_address
from synkro.integrations.errors import ApiError, Refused
from synkro.integrations.http.client import HttpClient
from synkro.integrations.reading import number
from synkro.models import IntegrationConfig, Tenant
from synkro.services import audit
from synkro.services.connections.secrets import open_secrets, seal_secret
from synkro.tenancy import current_tenant_id, db

KIND = "amocrm"


def redirect_uri(slug: str) -> str:
    """What the client types into the integration's settings in amoCRM, letter for letter."""
    return f"{settings().base_url}/integrations/amocrm/callback/{slug}"


def client(values: Mapping[str, str], http_client: HttpClient) -> Amocrm:
    """A client that lives: its token is renewed before it ends by our clock, and when the vendor ends it earlier."""
    return Amocrm(fresh(values, http_client), http_client, partial(renewed, http_client))


def fresh(values: Mapping[str, str], http_client: HttpClient) -> dict[str, str]:
    """The settings with a token that is alive, by our clock. Raises ApiError. A code is newer than all else."""
    return dict(values) if _alive(values) else renewed(http_client)


def _alive(values: Mapping[str, str], refused: str = "") -> bool:
    """When an access token ends and nobody can read it, it has ended."""
    if values.get("code") or values.get("token"):
        return not values.get("code")
    ends = number(values.get("expires_at")) or 0
    return bool(values.get("access_token")) and values["access_token"] != refused and ends > time.time()


def renewed(http_client: HttpClient, refused: str = "") -> dict[str, str]:
    """The settings with another access token than the refused one. Raises ApiError.

    The row stays locked during the call: whoever waited for it finds the new pair and makes no call of its own.
    The pair is saved in the transaction that holds the lock, before it is used: the code or old token is spent by then.
    """
    statement = select(IntegrationConfig).where(IntegrationConfig.kind == KIND).with_for_update()
    config = db.session.execute(statement.execution_options(populate_existing=True)).scalar_one()
    values = {**config.settings, **open_secrets(config)}
    spent = "code" if values.get("code") else "refresh_token"
    if _alive(values, refused):
        db.session.rollback()
        return values
    if not values.get(spent):
        db.session.rollback()
        raise Refused("amocrm_reconnect")
    try:
        tokens = _new_pair(values, http_client)
    except ApiError as error:
        if error.code in REFUSALS:
            # remembered, so that the next hundred calls do not knock at a closed door
            _refused(config, spent, error.code)
        db.session.rollback()
        raise
    keep(config, tokens)
    return {**config.settings, **open_secrets(config)}


def _new_pair(values: Mapping[str, str], http_client: HttpClient) -> Tokens:
    address = account_address(values.get("subdomain", ""), values.get("zone", ""))
    tenant = db.session.get(Tenant, current_tenant_id())
    back = values.get("redirect_uri") or redirect_uri(tenant.slug if tenant else "")
    app = App(values.get("client_id", ""), values.get("client_secret", ""), back)
    if code := values.get("code"):
        return oauth.exchange(http_client, app, address, code)
    return oauth.refresh(http_client, app, address, values["refresh_token"], values.get("access_token", ""))


def keep(config: IntegrationConfig, tokens: Tokens) -> None:
    """Save a pair and where the account lives now. The pair takes the place of all that opened the account."""
    config.settings = {
        **config.settings,
        "expires_at": str(tokens.expires_at),
        "subdomain": tokens.address.subdomain,
        "zone": tokens.address.zone,
    }
    config.secrets = {
        **{name: sealed for name, sealed in config.secrets.items() if name not in ("code", "token")},
        "access_token": seal_secret(KIND, "access_token", tokens.access_token),
        "refresh_token": seal_secret(KIND, "refresh_token", tokens.refresh_token),
    }
    config.updated_at = clock.now()
    audit.record("token_renewed", "integration", KIND)
    db.session.commit()


def forget(config: IntegrationConfig) -> None:
    """The vendor has ended all that it gave through the integration. A long-lived token is not one of these.

    A check that is under way speaks for what was there before.
    """
    ended = ("access_token", "refresh_token", "code")
    config.secrets = {name: sealed for name, sealed in config.secrets.items() if name not in ended}
    config.settings = {**config.settings, "expires_at": "0"}
    config.version += 1
    config.check_requested_at = None
    if "token" not in config.secrets:
        _redden(config, "amocrm_reconnect")
    audit.record("integration_switched_off", "integration", KIND, actor="amoCRM")
    db.session.commit()


def _refused(config: IntegrationConfig, spent: str, code: str) -> None:
    config.secrets = {name: sealed for name, sealed in config.secrets.items() if name != spent}
    if spent == "refresh_token" or "access_token" not in config.secrets:
        # the vendor may have ended it before its time; and it shows that these keys were tried
        config.settings = {**config.settings, "expires_at": "0"}
    _redden(config, code)
    audit.record("token_refused", "integration", KIND)
    db.session.commit()


def _redden(config: IntegrationConfig, code: str) -> None:
    config.check_colour, config.check_code, config.check_params = "red", code, {}
    config.check_stands, config.checked_at = "", clock.now()
