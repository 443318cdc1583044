"""What a run asked the model, and what came of it."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select

from synkro.models import AiCall, JobRun, JobStep, Report
from synkro.models.plan import StepKey
from synkro.services.reports import reports
from synkro.tenancy import db, tenant_scope
from tests.support.practice import Practice

DIALOG = re.compile(r"^## d\d+ ", re.MULTILINE)


def questions(practice: Practice) -> list[dict[str, Any]]:
    """Bodies of what was generated for; to count is another question."""
    return [body for body in practice.look("gemini", "/__bodies") if "generateContentRequest" not in body]


def dialogs(body: dict[str, Any]) -> int:
    return len(DIALOG.findall(body["contents"][0]["parts"][0]["text"]))


def report_of(practice: Practice, run: JobRun) -> Report:
    with tenant_scope(practice.tenant.id):
        report = reports.find(reports.id_for(run.id))
        assert report is not None
        return report


def calls(practice: Practice) -> list[AiCall]:
    with tenant_scope(practice.tenant.id):
        return list(db.session.execute(select(AiCall)).scalars())


def analysis_of(practice: Practice, run: JobRun) -> JobStep:
    return next(step for step in practice.state(run.id)[1] if step.key == StepKey.ANALYSE)
