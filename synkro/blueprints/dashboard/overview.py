"""What the overview shows: how far the set-up is, the last run, the next one, the figures of the last report."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template
from flask_babel import gettext
from flask_login import current_user

from synkro.analysis.text.cleaning import one_line
from synkro.blueprints.reports.figure_view import KEY_FIGURES, figure, trend
from synkro.blueprints.reports.report_rows import row, rows
from synkro.blueprints.reports.run_view import RunView, view
from synkro.blueprints.shared import formats, reader
from synkro.blueprints.shared.forms import RunForm
from synkro.infra import clock
from synkro.models import Report, Tenant
from synkro.models.states import RunStatus
from synkro.services.connections import setup
from synkro.services.connections.setup import SetupStep
from synkro.services.reports import progress, reports, runs, schedules

SHOWN = 5
TREND = 8
LONGEST_SAYING = 280


def overview_page(form: RunForm) -> str:
    """form: with its errors when it was filled in wrongly."""
    tenant = reader.my_company()
    latest, steps = reports.latest(TREND), setup.steps()
    return render_template(
        "dashboard/overview.html",
        today=clock.now(),
        zone_text=formats.zone_text(tenant.timezone),
        steps=steps,
        onward=setup.first_open(steps),
        may_set_up=current_user.can_manage_settings,
        last_run=_last_run(latest),
        next_run=_next_run(tenant),
        figures=_figures(latest),
        figures_text=row(latest[0])["window_text"] if latest else "",
        reports=rows(latest[:SHOWN]),
        run_form=form if form.errors or (_can_report(steps) and not tenant.is_paused) else None,
    )


def _can_report(steps: list[SetupStep]) -> bool:
    """Without deals, dialogs and a place for them there is nothing to report; AI and Telegram may come later."""
    return all(step.state not in ("empty", "locked") for step in steps if step.is_needed)


def _last_run(latest: list[Report]) -> dict[str, Any] | None:
    run = runs.latest()
    found = progress.read(run.id) if run else None
    if found is None:
        return None
    shown = view(found)
    names = ("id", "kind", "status", "colour", "window_text", "started_at", "finished_at", "steps", "report_id")
    summary = next((report.summary for report in latest if report.id == shown.report_id), "")
    return {**{name: getattr(shown, name) for name in names}, "says": _says(shown, summary)}


def _says(run: RunView, summary: str) -> str:
    """The one sentence about the run that matters most now."""
    if run.problem:
        return run.problem.text or run.problem.title
    if run.status == RunStatus.RUNNING and run.current:
        words = {"n": run.current.n, "all": len(run.steps), "title": run.current.title}
        return str(gettext("Step %(n)s of %(all)s: %(title)s", **words))
    return one_line(summary, LONGEST_SAYING) or run.remark


def _next_run(tenant: Tenant) -> dict[str, datetime | str] | None:
    planned = schedules.next_run(tenant)
    if planned is None:
        return None
    zone = ZoneInfo(tenant.timezone)
    return {"at": planned.at, "window_text": formats.period(planned.window.start, planned.window.end, zone)}


def _figures(latest: list[Report]) -> list[dict[str, Any]]:
    """The last report's, each with its way through the last reports of the same kind."""
    if not latest:
        return []
    alike = [report.figures for report in reversed(latest) if report.kind == latest[0].kind]
    return [{**figure(key, latest[0].figures), "trend": trend(key, alike)} for key in KEY_FIGURES]
