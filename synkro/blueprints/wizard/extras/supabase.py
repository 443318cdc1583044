"""Supabase: the SQL that a person runs there, and the approval of a server of one's own."""

from __future__ import annotations

from typing import Any

from synkro.integrations.supabase.client import SCHEMA_VERSION, schema_sql
from synkro.models import IntegrationConfig, Tenant
from synkro.services.connections import hosts

OWED = frozenset({"supabase_no_tables", "supabase_no_grants", "supabase_public_data", "supabase_granted"})
"""Outcomes of a check that end when the SQL is run."""
OLD = "supabase_schema_old"


def extra(_tenant: Tenant, config: IntegrationConfig | None) -> dict[str, Any]:
    """sql, host_request, sql_state: first, owed, old or run; versions: (there, needed) where they are known."""
    found = config.check_params if config else {}
    return {
        "sql": schema_sql(),
        "sql_state": _sql_state(config),
        "versions": (found.get("version"), SCHEMA_VERSION),
        "host_request": hosts.host_request(config),
    }


def _sql_state(config: IntegrationConfig | None) -> str:
    if config is None or config.checked_at is None:
        return "first"
    if config.check_code == OLD:
        return "old"
    return "owed" if config.check_code in OWED else "run"
