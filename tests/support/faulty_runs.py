"""Runs that meet a fault, and what people see of it."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask_babel import force_locale

from synkro.jobs.reports import runtime
from synkro.models import JobRun, JobStep
from synkro.models.plan import BY_KEY, PLAN, StepKey
from synkro.models.states import ACTIVE_RUN, RunStatus
from synkro.services.reports import runs
from synkro.services.shared.wording import remarks
from synkro.tenancy import db, tenant_scope
from tests.support.clocks import Standing
from tests.support.having import assert_has
from tests.support.practice import Practice


@pytest.fixture(autouse=True)
def quick(impatient: None, standing: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Besides, two tries of each step."""
    for plan in PLAN:
        monkeypatch.setitem(BY_KEY, plan.key, replace(plan, waits=(1,)))


def worked_out(practice: Practice, run_id: uuid.UUID) -> tuple[JobRun, dict[str, JobStep]]:
    """The run when it has ended, its steps by key. What waits is hurried."""
    for _ in range(20):
        run, rows = practice.state(run_id)
        if run.status not in ACTIVE_RUN:
            return run, {step.key: step for step in rows}
        waiting = next(step for step in rows if step.status == "ready")
        with tenant_scope(practice.tenant.id):
            runs.steps_of(run_id)[waiting.n - 1].ready_at = datetime.now(UTC)
            db.session.commit()
        runtime.work(str(practice.tenant.id), str(run_id), waiting.key)
    pytest.fail("the run does not end")


def ran(practice: Practice) -> tuple[JobRun, dict[str, JobStep]]:
    return worked_out(practice, practice.start())


def assert_told(step: JobStep, colour: str, code: str) -> None:
    """The colour and the code, and a whole sentence in Russian without a word of the machine."""
    assert_has(step, colour=colour, code=code)
    with force_locale("ru"):
        said = remarks(step.code, step.params)
    assert re.match(r"(amoCRM|[А-ЯA-Z]).*[.\d]$", said), said
    assert not re.search(r"%\(|Traceback|Error|127\.0\.0\.1", said), said
    assert said != code


def assert_red(practice: Practice, key: StepKey, code: str) -> None:
    run, steps = ran(practice)
    assert_has(run, status=RunStatus.FAILED, code=code)
    assert steps[key].status == "failed"
    assert_told(steps[key], "red", code)


def assert_yellow(practice: Practice, key: StepKey, code: str) -> None:
    run, steps = ran(practice)
    assert run.status == RunStatus.SUCCEEDED
    assert steps[key].status == "done"
    assert_told(steps[key], "yellow", code)
