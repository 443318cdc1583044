"""AI: the approval of a server of one's own."""

from __future__ import annotations

from typing import Any

from synkro.models import IntegrationConfig, Tenant
from synkro.services.connections import hosts


def extra(_tenant: Tenant, config: IntegrationConfig | None) -> dict[str, Any]:
    return {"host_request": hosts.host_request(config)}
