"""A report as its page shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext
from flask_login import current_user
from markupsafe import Markup

from synkro.analysis.text.cleaning import one_line
from synkro.blueprints.reports import prose
from synkro.blueprints.reports.claim_view import findings, unconfirmed
from synkro.blueprints.reports.coverage_view import coverage
from synkro.blueprints.reports.figure_view import REPORT_FIGURES, Figures, figure, hours, responses
from synkro.blueprints.reports.report_rows import colour, row
from synkro.blueprints.shared import formats
from synkro.models import Report
from synkro.models.plan import StepKey
from synkro.models.states import ReportStatus
from synkro.services.reports import holding, reports, runs
from synkro.services.reports.reports import Body
from synkro.services.shared.wording import sentence

LONGEST_NAME = 120


def context(report: Report) -> dict[str, Any]:
    """Everything reports/show.html wants but comments."""
    body = reports.body(report)
    newer, older = reports.neighbours(report)
    figures = report.figures
    return {
        "report": _head(report),
        "summary": report.summary,
        "todo": list(_todo(figures)),
        "coverage": coverage(report.coverage, figures),
        "figures": [figure(key, figures) for key in REPORT_FIGURES],
        "figures_note": "",
        "responses": responses(figures),
        "hours": hours(figures),
        "managers": [_manager(one) for one in figures.get("by_manager", [])],
        "managers_total": _manager(figures),
        "findings": findings(body) if body else [],
        "unconfirmed": unconfirmed(body) if body else [],
        "full_text": _full_text(body),
        "facts": _facts(report),
        "neighbours": {"newer": row(newer) if newer else None, "older": row(older) if older else None},
    }


def comments(report: Report) -> list[dict[str, str | datetime]]:
    found = reports.comments(report.id)
    return [{"who": one.author or gettext("Deleted account"), "at": one.created_at, "text": one.body} for one in found]


def _head(report: Report) -> dict[str, Any]:
    bare = report.status == ReportStatus.FIGURES_ONLY
    return {
        **row(report),
        "id": report.id,
        "run_id": report.run_id,
        "zone_text": formats.zone_text(report.timezone),
        "colour": colour(report),
        "created_at": report.created_at,
        "figures_only": bare,
        "ai_gap": _gap(report),
        "held": _held(report) if holding.waits(report) else None,
    }


def _held(report: Report) -> dict[str, Any]:
    """goes_at: when it goes by itself, None for never. can_send: whether the reader may send it."""
    return {"goes_at": report.goes_at, "can_send": current_user.can_manage_settings}


def _gap(report: Report) -> str:
    """What the analysis said when it ended without an answer, or without having read all it should."""
    analysis = next((step for step in runs.steps_of(report.run_id) if step.key == StepKey.ANALYSE), None)
    return sentence(analysis.code, analysis.params) if analysis and analysis.code not in reports.NO_GAP else ""


def _todo(figures: Figures) -> Iterator[str]:
    """Who waits for us now: counted, so that it is true without any AI."""
    if count := figures.get("unanswered"):
        yield gettext("Answer the clients who wrote last in chats with a deal: %(count)s", count=formats.number(count))
    if count := figures.get("unmatched_waiting"):
        yield gettext("Answer the clients who have no deal yet: %(count)s", count=formats.number(count))
    if count := figures.get("out_failed"):
        yield gettext("Send again what did not arrive: %(count)s", count=formats.number(count))


def _manager(figures: Mapping[str, Any]) -> dict[str, str]:
    return {
        "name": one_line(str(figures.get("name", "")), LONGEST_NAME),
        "leads": formats.number(figures.get("leads_in_window")),
        "won": formats.number(figures.get("leads_won")),
        "lost": formats.number(figures.get("leads_lost")),
        "chats": formats.number(figures.get("chats_matched")),
        "median": formats.duration(figures.get("first_response_median_s")),
        "p90": formats.duration(figures.get("first_response_p90_s")),
        "unanswered": formats.number(figures.get("unanswered")),
    }


def _full_text(body: Body | None) -> Markup:
    if body:
        return prose.render(body.text)
    gone = gettext("The full text and the findings lie in your company's Supabase; here they are kept for a time only.")
    return Markup("<p>{}</p>").format(gone)


def _facts(report: Report) -> list[tuple[str, str]]:
    run = runs.find(report.run_id)
    usage = reports.ai_usage(report.run_id)
    facts = [(gettext("Number of the run"), str(run.number) if run else "")]
    facts.append((gettext("Period"), formats.period(report.window_start, report.window_end, ZoneInfo(report.timezone))))
    if not usage["calls"]:
        return facts
    cost = gettext("unknown") if usage["cost"] is None else f"${usage['cost']:.4f}"
    tokens = f"{formats.number(usage['tokens_in'])} / {formats.number(usage['tokens_out'])}"
    return [
        *facts,
        (gettext("Requests to the AI"), formats.number(usage["calls"])),
        (gettext("Tokens sent and received"), tokens),
        (gettext("Cost of the AI"), cost),
    ]
