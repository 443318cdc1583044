"""A company where nothing is set up yet, beside vendors that nobody has connected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import delete

from synkro.models import Automation, Tenant, User
from synkro.sandbox.demo.world import demo_world
from synkro.sandbox.server import Sandbox
from synkro.services.connections import setup
from synkro.tenancy import db, tenant_scope
from tests.support.practice import Practice


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


def states(tenant: Tenant) -> dict[str, str]:
    with tenant_scope(tenant.id):
        return {step.kind: step.state for step in setup.steps()}
