"""The pipeline with the real PostgREST in place of the stand-in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from synkro.integrations.supabase.client import CLIENT_TABLES, schema_sql
from synkro.models.plan import PLAN
from synkro.models.states import RunStatus
from synkro.services.connections import integrations
from synkro.tenancy import tenant_scope
from tests.conftest import ROOT
from tests.support.postgrest import Postgrest, postgrest_or_skip
from tests.support.practice import Practice


@pytest.fixture
def real(postgres_superuser_url: str, practice: Practice) -> Iterator[Postgrest]:
    """A client's project with the SQL block run in it, and the tenant connected to it."""
    project = Postgrest(postgrest_or_skip(ROOT / "var"), postgres_superuser_url, keys=practice.world.keys)
    project.run_sql(schema_sql())
    practice.allow(project.url)
    with tenant_scope(practice.tenant.id):
        keys = practice.world.keys
        sealed = {"publishable_key": keys.supabase_publishable_key, "secret_key": keys.supabase_secret_key}
        integrations.save("supabase", {"url": project.url, **sealed}, actor="test")
    yield project
    project.stop()


def test_a_whole_run_writes_into_a_real_project(practice: Practice, real: Postgrest) -> None:
    run = practice.run()
    _, steps = practice.state(run.id)
    assert run.status == RunStatus.SUCCEEDED
    assert [step.colour for step in steps] == ["green"] * len(PLAN)


def test_a_second_run_of_the_window_doubles_no_row(practice: Practice, real: Postgrest) -> None:
    practice.run()
    once = counts(real)
    practice.run()
    twice = counts(real)
    assert {**twice, "synkro_reports": 1, "synkro_analyses": 1} == {**once, "synkro_reports": 1, "synkro_analyses": 1}
    assert twice["synkro_reports"] == 2


def counts(project: Postgrest) -> dict[str, int]:
    return {table: project.count(table) for table in CLIENT_TABLES}
