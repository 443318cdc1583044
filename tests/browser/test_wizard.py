"""From an empty company to the first green report, in a browser, with the product's own worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from synkro.integrations.supabase.client import schema_sql
from synkro.models import JobRun, Tenant
from synkro.models.states import RunStatus
from synkro.services.reports import runs
from synkro.tenancy import tenant_scope
from tests.conftest import ROOT
from tests.support import processes
from tests.support.browser.newcomer import Newcomer
from tests.support.browser.pages import PAGES
from tests.support.browser.window import Window
from tests.support.empty_company import empty_company as empty_company  # noqa: PLC0414 (a fixture)
from tests.support.empty_company import states
from tests.support.empty_company import vendors as vendors  # noqa: PLC0414 (a fixture)
from tests.support.postgrest import Postgrest, postgrest_or_skip
from tests.support.practice import Practice

Enter = Callable[..., Window]


@pytest.fixture
def real(postgres_superuser_url: str, vendors: Practice) -> Iterator[Postgrest]:
    """A project of the client's own behind the real PostgREST."""
    project = Postgrest(postgrest_or_skip(ROOT / "var"), postgres_superuser_url, keys=vendors.world.keys)
    vendors.allow(project.url)
    yield project
    project.stop()


def last_run(tenant: Tenant) -> JobRun:
    with tenant_scope(tenant.id):
        run = runs.latest()
        assert run is not None
        return run


def test_an_empty_company_comes_to_its_first_report(vendors: Practice, enter: Enter, var_dir: Path) -> None:
    newcomer = Newcomer(enter("settings", locale="en-US"), vendors)
    vendors.control("supabase", fault="run_sql", value=schema_sql())
    with processes.worker(processes.beside(vendors.urls, var_dir), var_dir):
        newcomer.comes_from_nothing_to_a_report(vendors.urls["supabase"])
    assert last_run(vendors.tenant).status == RunStatus.SUCCEEDED
    assert set(states(vendors.tenant).values()) == {"done"}
    assert newcomer.window.faults == []
    for path in PAGES["settings"]:
        newcomer.window.open(path)
        assert newcomer.window.complaints() == [], path


def test_it_needs_no_script_and_no_stand_in_for_supabase(
    vendors: Practice, real: Postgrest, enter: Enter, var_dir: Path
) -> None:
    newcomer = Newcomer(enter("settings", locale="en-US", js=False), vendors, script=False)
    real.run_sql(schema_sql())
    with processes.worker(processes.beside({**vendors.urls, "real": real.url}, var_dir), var_dir):
        newcomer.comes_from_nothing_to_a_report(real.url)
    assert last_run(vendors.tenant).status == RunStatus.SUCCEEDED
    assert set(states(vendors.tenant).values()) == {"done"}
    assert real.count("synkro_reports") == 1
