"""amoCRM by an integration with keys: the way to its page of consent, and back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from redis.exceptions import RedisError

from synkro.errors import AppError
from synkro.extensions import redis
from synkro.i18n import _l
from synkro.integrations.amocrm.client import Amocrm
from synkro.integrations.amocrm.oauth import authorize_url, valid_referer
from synkro.integrations.amocrm.rules import ZONES, account_address
from synkro.integrations.errors import Refused
from synkro.models import IntegrationConfig, Tenant
from synkro.services import audit
from synkro.services.connections import amocrm_tokens, checks, integrations
from synkro.services.connections.amocrm_tokens import KIND
from synkro.tenancy import db
from synkro.tokens import known_hashes, new_token

STATE_SECONDS = 600
"""As long as a person may take to agree in amoCRM."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom a state belongs to: one browser of one person of one company."""

    tenant_id: uuid.UUID
    user_id: uuid.UUID
    session_id: uuid.UUID

    def __str__(self) -> str:
        return json.dumps([str(self.tenant_id), str(self.user_id), str(self.session_id)])


def begin(sender: Sender) -> str:
    """The address of the vendor's page where an administrator agrees. Raises AppError: 409 without keys, 503."""
    config = integrations.find(KIND)
    if config is None or not has_keys(config):
        raise AppError(409, "amocrm_keys_first", _l("Save the integration ID and the secret key first."))
    state = new_token()
    try:
        redis().set(_keys(state)[0], str(sender), ex=STATE_SECONDS)
    except RedisError:
        raise _redis_away() from None
    client_id = str(config.settings["client_id"])
    try:
        return authorize_url(client_id, state, _zone(config), integrations.http_client(KIND))
    except Refused as refusal:
        raise AppError(409, refusal.code, Amocrm.sentences[refusal.code]) from None


def finish(tenant: Tenant, sender: Sender, slug: str, sent: Mapping[str, str]) -> bool:
    """What the browser came back with: the code is kept for the check that is asked for here, which exchanges it.

    False: the person did not agree. Raises AppError: 400 for an answer to nothing that this browser began, 503.
    """
    owner = _spend(sent.get("state", ""))
    if owner != str(sender) or slug != tenant.slug:
        _refuse("state")
    if sent.get("error"):
        return False
    address = valid_referer(sent.get("referer", ""))
    if address is None:
        _refuse("referer")
    code = sent.get("code", "").strip()
    if not code:
        _refuse("code")
    redirect_uri = amocrm_tokens.redirect_uri(tenant.slug)
    account = {"subdomain": address.subdomain, "zone": address.zone, "redirect_uri": redirect_uri}
    integrations.save(KIND, {"code": code, **account})
    checks.request(KIND)
    return True


def has_keys(config: IntegrationConfig) -> bool:
    return bool(config.settings.get("client_id") and config.secrets.get("client_secret"))


def _zone(config: IntegrationConfig) -> str:
    """Kommo has a page of its own: the zone in the address counts, then the chosen one."""
    chosen = str(config.settings.get("zone") or ZONES[0])
    try:
        return account_address(str(config.settings.get("subdomain") or ""), chosen).zone
    except Refused:
        return chosen


def _keys(state: str) -> list[str]:
    """Where it may lie: by today's key of the program, then by those that it took the place of."""
    return [f"oauth_state:{found}" for found in known_hashes(state, "oauth_state")]


def _spend(state: str) -> str:
    """Whom the state belongs to, "" where nobody or no longer. Whoever asks for it uses it up."""
    try:
        found = [redis().getdel(key) for key in _keys(state)]
    except RedisError:
        raise _redis_away() from None
    return next((owner.decode() for owner in found if isinstance(owner, bytes)), "")


def _redis_away() -> AppError:
    return AppError(503, "queue_away", _l("Redis does not answer, so amoCRM cannot be connected now. Try again later."))


def _refuse(reason: str) -> NoReturn:
    audit.record("oauth_refused", "integration", KIND, reason=reason)
    db.session.commit()
    says = _l("This answer of amoCRM belongs to no connection that you began here. Press Connect amoCRM once more.")
    raise AppError(400, "oauth_refused", says)
