"""Supabase: the tables that Synkro keeps there, with how many rows lie in each, and what the check wrote."""

from __future__ import annotations

from synkro.integrations.supabase.client import CLIENT_TABLES, Supabase
from synkro.jobs.connections.acts.tried import Acts, Tried, client
from synkro.models import Trial


def tables(_trial: Trial) -> Tried:
    supabase = client(Supabase)
    version, counted = supabase.schema_version(), {table: supabase.count(table) for table in CLIENT_TABLES}
    kept = {"version": version, "proof": supabase.probe(), "tables": counted}
    return Tried("green", "supabase_tables_ok", {"rows": sum(counted.values()), "tables": len(counted)}, kept)


ACTS: Acts = {"tables": tables}
