"""Reports as rows of a list."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import url_for

from synkro.analysis.text.cleaning import one_line
from synkro.blueprints.shared import formats
from synkro.models import Report
from synkro.models.states import ReportStatus, RunStatus
from synkro.services.reports import reports

LONGEST_COMMENT = 120


def rows(shown: list[Report]) -> list[dict[str, Any]]:
    comments = reports.first_comments([report.id for report in shown]) if shown else {}
    return [row(report, comments.get(report.id, "")) for report in shown]


def row(report: Report, comment: str = "") -> dict[str, Any]:
    return {
        "url": url_for("reports.show", report_id=report.id),
        "window_text": formats.period(report.window_start, report.window_end, ZoneInfo(report.timezone)),
        "kind": report.kind,
        "status": RunStatus.SUCCEEDED,
        "colour": colour(report),
        "comment": one_line(comment, LONGEST_COMMENT),
        "sandbox": report.sandbox,
    }


def colour(report: Report) -> str:
    """A report of figures alone is ready, with a remark."""
    return "yellow" if report.status == ReportStatus.FIGURES_ONLY else ""
