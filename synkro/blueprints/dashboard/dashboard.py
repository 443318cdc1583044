"""The page a person starts the day with, and the report that is asked for there."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from synkro.blueprints.dashboard.overview import overview_page
from synkro.blueprints.reports.runs import blueprint as run_pages
from synkro.blueprints.shared import reader
from synkro.blueprints.shared.form_errors import errors_on
from synkro.blueprints.shared.forms import RunForm
from synkro.models.states import Role, RunKind
from synkro.services.reports import runs, schedules
from synkro.web.access import access

blueprint = Blueprint("dashboard", __name__)


@blueprint.get("/dashboard")
@access(Role.USER)
def overview() -> str:
    return overview_page(RunForm())


@run_pages.post("/dashboard/run")
@access(Role.USER, limit="ai", form=True)
def create() -> AnyResponse | tuple[str, int]:
    """A report by hand. A second press leads to the one that is being made."""
    form = RunForm()
    tenant = reader.my_company()
    window = form.window(reader.zone(), schedules.boundary_hour()) if form.validate() else None
    if window is None:
        return overview_page(form), 422
    with errors_on(form, others="end") as act:
        run, is_new = runs.start(tenant, RunKind.MANUAL, window.start, window.end, by=reader.me().id)
    if act.refused:
        return overview_page(form), act.refused
    if not is_new:
        flash(gettext("A report is being made already: here it is."), "info")
    return redirect(url_for("runs.show", run_id=run.id), 303)
