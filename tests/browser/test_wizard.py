"""From an empty company to the first green report, in a browser, with the product's own worker."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete

from synkro.integrations.supabase import schema_sql
from synkro.models import Automation, JobRun, Tenant, User
from synkro.models.states import RunStatus
from synkro.sandbox.demo import demo_world
from synkro.sandbox.server import Sandbox
from synkro.services import runs, setup
from synkro.tenancy import db, tenant_scope
from tests import processes
from tests.browser.newcomer import Newcomer
from tests.browser.window import Window
from tests.conftest import ROOT
from tests.postgrest import Postgrest, PostgrestUnavailable, fetch_postgrest
from tests.practice import Practice

Enter = Callable[..., Window]


@pytest.fixture
def empty_company(tenant: Tenant, cast: dict[str, User]) -> Tenant:
    """Nothing is set up, and somebody may change that."""
    assert cast["settings"].tenant_id == tenant.id
    with tenant_scope(tenant.id):
        db.session.execute(delete(Automation))
        db.session.commit()
    return tenant


@pytest.fixture
def vendors(app: Flask, empty_company: Tenant) -> Iterator[Practice]:
    """The stand-ins of today, which nobody has connected."""
    world = demo_world(datetime.now(UTC))
    sandbox = Sandbox(world)
    yield Practice(app, empty_company, world, sandbox.urls).reach()
    sandbox.stop()


@pytest.fixture
def real(postgres_superuser_url: str, vendors: Practice) -> Iterator[Postgrest]:
    """A project of the client's own behind the real PostgREST."""
    try:
        binary = fetch_postgrest(ROOT / "var")
    except PostgrestUnavailable as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(reason))
    project = Postgrest(binary, postgres_superuser_url, keys=vendors.world.keys)
    vendors.allow(project.url)
    yield project
    project.stop()


def last_run(tenant: Tenant) -> JobRun:
    with tenant_scope(tenant.id):
        run = runs.latest()
        assert run is not None
        return run


def states(tenant: Tenant) -> dict[str, str]:
    with tenant_scope(tenant.id):
        return {step.kind: step.state for step in setup.steps()}


def test_an_empty_company_comes_to_its_first_report(vendors: Practice, enter: Enter, var_dir: Path) -> None:
    newcomer = Newcomer(enter("settings", locale="en-US"), vendors)
    vendors.control("supabase", fault="run_sql", value=schema_sql())
    with processes.worker(processes.beside(vendors.urls, var_dir), var_dir):
        newcomer.comes_from_nothing_to_a_report(vendors.urls["supabase"])
    assert (last_run(vendors.tenant).status, set(states(vendors.tenant).values())) == (RunStatus.SUCCEEDED, {"done"})
    assert newcomer.window.faults == []


def test_an_empty_company_comes_to_its_first_report_with_a_real_project(
    vendors: Practice, real: Postgrest, enter: Enter, var_dir: Path
) -> None:
    newcomer = Newcomer(enter("settings", locale="en-US"), vendors)
    real.run_sql(schema_sql())
    with processes.worker(processes.beside({**vendors.urls, "real": real.url}, var_dir), var_dir):
        newcomer.comes_from_nothing_to_a_report(real.url)
    assert (last_run(vendors.tenant).status, set(states(vendors.tenant).values())) == (RunStatus.SUCCEEDED, {"done"})
    assert real.count("synkro_reports") == 1
