"""amoCRM's word that an integration was switched off in an account: whether it is amoCRM's, and what follows."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import select

from synkro.crypto import CannotOpen
from synkro.errors import AppError
from synkro.extensions import settings
from synkro.infra import clock
from synkro.integrations.amocrm.oauth import uninstall_signature_ok
from synkro.models import AuditLog, IntegrationConfig, Tenant
from synkro.services import audit
from synkro.services.connections import amocrm_tokens, checks, integrations
from synkro.services.connections.amocrm_tokens import KIND
from synkro.services.connections.secrets import open_secret
from synkro.tenancy import db, tenant_scope

NOTED = timedelta(minutes=10)
"""Another forged hook within it is not written down."""


def hook_address(slug: str) -> str:
    """Where the vendor tells that the integration was switched off in an account."""
    return f"{settings().base_url}/integrations/amocrm/disabled/{slug}"


def switched_off(tenant: Tenant, sent: Mapping[str, str]) -> bool:
    """The vendor says that its tokens have ended: they are forgotten. False where it was not the vendor who says so."""
    with tenant_scope(tenant.id):
        # a stranger is judged without the lock, which a renewal may hold for as long as the vendor takes
        if not _is_genuine(integrations.find(KIND), sent):
            _note_stranger(tenant)
            return False
        statement = select(IntegrationConfig).where(IntegrationConfig.kind == KIND).with_for_update()
        config = db.session.execute(statement.execution_options(populate_existing=True)).scalar_one()
        if not _is_genuine(config, sent):  # other keys were saved meanwhile
            db.session.rollback()
            return False
        amocrm_tokens.forget(config)
        with suppress(AppError):  # it is red already; the check is what tells people
            checks.request(KIND)
    return True


def _note_stranger(tenant: Tenant) -> None:
    """Once in a while: anybody can call, and nobody shall fill a company's audit."""
    here = (AuditLog.tenant_id == tenant.id, AuditLog.act == "oauth_refused", AuditLog.actor == audit.UNKNOWN)
    lately = select(AuditLog.id).where(*here, AuditLog.at > clock.now() - NOTED).limit(1)
    if db.session.execute(lately).first() is None:
        audit.record("oauth_refused", "integration", KIND, actor=audit.UNKNOWN, reason="signature")
    db.session.commit()


def _is_genuine(config: IntegrationConfig | None, sent: Mapping[str, str]) -> bool:
    """Signed with this company's own key, and about its own integration."""
    if config is None:
        return False
    try:
        secret = open_secret(config, "client_secret")
    except CannotOpen:
        return False
    client_id, named = str(config.settings.get("client_id") or ""), sent.get("client_uuid", "")
    signed = uninstall_signature_ok(secret, named, sent.get("account_id", ""), sent.get("signature", ""))
    return signed and hmac.compare_digest(client_id.encode(), named.encode())
