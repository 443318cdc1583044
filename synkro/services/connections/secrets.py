"""The secrets of a tenant's connections: sealed for exactly this tenant, service and field."""

from __future__ import annotations

import uuid

from synkro.extensions import vault
from synkro.models import IntegrationConfig
from synkro.services.shared.sealed import SealedFields
from synkro.tenancy import current_tenant_id


def seal_secret(kind: str, field: str, value: str) -> str:
    """In a tenant's scope: a value that is sealed for nobody would open for nobody."""
    tenant_id = current_tenant_id()
    if tenant_id is None:
        raise LookupError("a secret is sealed for a tenant")
    return vault().seal(value, _context(tenant_id, kind, field))


def open_secrets(config: IntegrationConfig) -> dict[str, str]:
    """Field -> value, in clear. Only for building a client. Raises CannotOpen."""
    tenant_id, kind = current_tenant_id(), config.kind
    return {name: vault().open(str(token), _context(tenant_id, kind, name)) for name, token in config.secrets.items()}


def open_secret(config: IntegrationConfig, field: str) -> str:
    """One field in clear, "" for none. Raises CannotOpen."""
    token = config.secrets.get(field)
    return vault().open(str(token), _context(current_tenant_id(), config.kind, field)) if token else ""


def _context(tenant_id: uuid.UUID | None, kind: str, field: str) -> str:
    return f"secret|{tenant_id}|{kind}|{field}"


SEALED = SealedFields(
    "secrets of connections", IntegrationConfig.secrets, (IntegrationConfig.tenant_id, IntegrationConfig.kind), _context
)
