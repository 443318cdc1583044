"""amoCRM: the addresses that it comes back to, and what the company calls its pipelines and stages."""

from __future__ import annotations

from typing import Any

from synkro.models import IntegrationConfig, Tenant
from synkro.services.connections import crm
from synkro.services.connections.amocrm_connect import has_keys
from synkro.services.connections.amocrm_hook import hook_address
from synkro.services.connections.amocrm_tokens import redirect_uri


def extra(tenant: Tenant, config: IntegrationConfig | None) -> dict[str, Any]:
    return {
        "redirect_uri": redirect_uri(tenant.slug),
        "hook_address": hook_address(tenant.slug),
        "has_keys": config is not None and has_keys(config),
        "pipelines": crm.pipelines(),
        "refreshed_at": crm.refreshed_at(),
    }
