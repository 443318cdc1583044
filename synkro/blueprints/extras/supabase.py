"""Supabase: the SQL that a person runs there."""

from __future__ import annotations

from typing import Any

from synkro.integrations.supabase import schema_sql
from synkro.models import IntegrationConfig, Tenant


def extra(_tenant: Tenant, _config: IntegrationConfig | None) -> dict[str, Any]:
    return {"sql": schema_sql()}
