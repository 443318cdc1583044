"""amoCRM: the address that it comes back to."""

from __future__ import annotations

from typing import Any

from synkro.models import IntegrationConfig, Tenant
from synkro.services.amocrm_tokens import redirect_uri


def extra(tenant: Tenant, _config: IntegrationConfig | None) -> dict[str, Any]:
    return {"redirect_uri": redirect_uri(tenant.slug)}
