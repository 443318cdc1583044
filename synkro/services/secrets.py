"""The secrets of a tenant's connections: sealed for exactly this tenant, service and field."""

from __future__ import annotations

from synkro.extensions import vault
from synkro.models import IntegrationConfig
from synkro.tenancy import current_tenant_id


def seal_secret(kind: str, field: str, value: str) -> str:
    return vault().seal(value, _context(kind, field))


def open_secrets(config: IntegrationConfig) -> dict[str, str]:
    """Field -> value, in clear. Only for building a client."""
    return {field: vault().open(token, _context(config.kind, field)) for field, token in config.secrets.items()}


def _context(kind: str, field: str) -> str:
    return f"secret|{current_tenant_id()}|{kind}|{field}"
