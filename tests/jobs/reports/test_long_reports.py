"""A report that does not fit into the messages of a group, on its way there; and what is said of a part in doubt."""

from __future__ import annotations

import uuid

import pytest

from synkro.analysis.ai.answer import Answer, Finding
from synkro.analysis.report.texts import MOST_PARTS
from synkro.models import Delivery, JobStep
from synkro.models.plan import StepKey
from synkro.services.reports import artifacts, runs
from synkro.services.reports.artifacts import FINAL
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_has
from tests.support.practice import Practice


@pytest.fixture
def run_id(practice: Practice) -> uuid.UUID:
    """Of a report with sixty findings that is about to be sent."""
    practice.tenant.language = "en"
    db.session.commit()
    run = practice.run()
    found = tuple(Finding("risk", f"{n:02} " + "x" * 380, ("d1m1",)) for n in range(60))
    with tenant_scope(practice.tenant.id):
        final = {"answer": Answer("Fine", found).to_json(), "reason": ["", {}]}
        artifacts.put(run.id, FINAL, 0, [final], {})
        db.session.query(Delivery).delete()
        db.session.commit()
    return run.id


def sent(practice: Practice, run_id: uuid.UUID) -> JobStep:
    """The last step, after it was done once more."""
    with tenant_scope(practice.tenant.id):
        run = runs.find(run_id)
        assert run is not None
        runs.resume(run, StepKey.NOTIFY_TELEGRAM)
    practice.drain()
    return practice.state(run_id)[1][-1]


def test_a_shortened_report_has_figures_and_a_link_and_is_told_so(practice: Practice, run_id: uuid.UUID) -> None:
    before = len(practice.sent())
    step = sent(practice, run_id)
    assert_has(step, colour="green", code=None)
    assert step.params["notices"] == ["telegram_shortened"]
    assert step.done == MOST_PARTS
    assert len(practice.sent()) - before == MOST_PARTS
    told = "\n".join(message["text"] for message in practice.sent()[before:])
    assert f"More findings in the report: {step.params['lines']}" in told
    assert told.index("00 xxx") < told.index("Deals") < told.index("Coverage")


def test_a_part_in_doubt_is_told_before_another_remark(practice: Practice, run_id: uuid.UUID) -> None:
    practice.control("telegram", fault="drop_after", path="/sendMessage", times=1)
    practice.control("telegram", fault="parse_error", times=1)
    assert sent(practice, run_id).code == "telegram_unknown"
