"""A plan that grows while runs are under way, and steps that only a newer release knows."""

from __future__ import annotations

import pytest

from synkro.jobs.reports.pipeline import STEPS
from synkro.jobs.reports.step import Ctx, Done, Step
from synkro.models import JobRun, JobStep
from synkro.models.plan import BY_KEY, PLAN, PLANS, Plan
from synkro.models.states import RunStatus
from synkro.services.reports import runs
from synkro.tenancy import tenant_scope
from tests.support.practice import Practice

NINTH = Plan("ninth", "Ninth", "Ninth", "")


class Ninth(Step):
    key = NINTH.key

    def run(self, _ctx: Ctx) -> Done:
        return Done()


@pytest.fixture
def under_way(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> Practice:
    """A run that has done three of its steps when a release comes whose plan has one more."""
    practice.start()
    practice.drain(most=3)
    for kind in PLANS:
        monkeypatch.setitem(PLANS, kind, (*PLAN, NINTH))
    monkeypatch.setitem(BY_KEY, NINTH.key, NINTH)
    monkeypatch.setitem(STEPS, NINTH.key, Ninth())
    return practice


def newest(practice: Practice) -> tuple[JobRun, list[JobStep]]:
    with tenant_scope(practice.tenant.id):
        run = runs.latest()
    assert run is not None
    return practice.state(run.id)


def test_a_run_under_way_ends_with_its_own_last_step(under_way: Practice) -> None:
    under_way.drain()
    run, steps = newest(under_way)
    assert len(steps) == len(PLAN)
    assert run.status == RunStatus.SUCCEEDED


def test_the_next_run_has_the_longer_plan_and_ends(under_way: Practice) -> None:
    under_way.drain()
    run = under_way.run()
    assert [step.status for step in under_way.state(run.id)[1]] == ["done"] * (len(PLAN) + 1)
    assert run.status == RunStatus.SUCCEEDED
