"""Pages about a run of which this release does not know a step: it has its key for a name."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from synkro.models import Tenant
from synkro.models.states import RunStatus, StepStatus
from tests.support.rows import make_run, set_step
from tests.support.web_client import Browser, Enter

NEWER = "follow_up"


@pytest.fixture
def run_id(tenant: Tenant) -> uuid.UUID:
    run_id = make_run(tenant, status=RunStatus.RUNNING)
    set_step(tenant, run_id, 1, key=NEWER, status=StepStatus.RUNNING)
    return run_id


@pytest.fixture
def user(enter: Enter) -> Browser:
    return enter("user")


@pytest.mark.parametrize("path", ["/runs/{}", "/runs/{}/steps"])
def test_the_run_is_shown(user: Browser, run_id: uuid.UUID, path: str) -> None:
    assert f"1. {NEWER}" in user.get(path.format(run_id)).text


@pytest.mark.parametrize("status", [StepStatus.DONE, StepStatus.FAILED])
def test_the_run_is_shown_when_it_has_ended(
    user: Browser, tenant: Tenant, run_id: uuid.UUID, status: StepStatus
) -> None:
    set_step(tenant, run_id, 1, status=status, done=3)
    assert f"1. {NEWER}" in user.get(f"/runs/{run_id}").text


def test_a_failed_unknown_step_is_named(enter: Enter, tenant: Tenant) -> None:
    run_id = make_run(tenant, status=RunStatus.FAILED, code="step_died")
    set_step(tenant, run_id, 1, key=NEWER, status=StepStatus.FAILED, code="step_died")
    assert f"Step 1 failed: {NEWER}" in enter("settings").get(f"/runs/{run_id}").text


def test_programs_get_its_key(user: Browser, run_id: uuid.UUID) -> None:
    facts: dict[str, Any] = json.loads(user.get(f"/runs/{run_id}/steps", headers={"Accept": "application/json"}).data)
    assert facts["steps"][0]["title"] == NEWER


def test_the_overview_is_shown(user: Browser, run_id: uuid.UUID) -> None:
    assert NEWER in user.get("/dashboard").text


def test_the_health_page_names_it_by_its_key(enter: Enter, tenant: Tenant) -> None:
    run_id = make_run(tenant, status=RunStatus.FAILED, code="step_died", finished_at=datetime.now(UTC))
    set_step(tenant, run_id, 1, key=NEWER, status=StepStatus.FAILED)
    assert f'<th scope="row">{NEWER}</th>' in enter("admin").get("/admin/health").text
