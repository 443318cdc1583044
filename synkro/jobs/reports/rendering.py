"""A run as the report that text and messages are made from."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from synkro.analysis.ai.answer import Answer
from synkro.analysis.figures.window import Window
from synkro.analysis.report.sections import ReportText
from synkro.extensions import settings
from synkro.models import JobRun
from synkro.services.companies import tenants
from synkro.services.reports import reports
from synkro.services.shared.wording import sentence
from synkro.tenancy import end_reading


def as_report(
    run: JobRun, figures: dict[str, Any], answer: Answer | None, reason: tuple[str, dict[str, Any]]
) -> ReportText:
    """reason: code and params of why there is no answer, or not all of it.

    Call it with the language of the report in force.
    """
    company = tenants.get(run.tenant_id).name
    end_reading()
    return ReportText(
        company=company,
        number=str(run.number),
        window=Window(run.window_start, run.window_end),
        zone=ZoneInfo(run.timezone),
        figures=figures,
        answer=answer,
        ai_gap=sentence(*reason) if reason[0] else "",
        sandbox=run.sandbox,
        url=f"{settings().base_url}/reports/{reports.id_for(run.id)}",
    )
