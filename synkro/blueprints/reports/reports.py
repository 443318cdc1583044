"""Reports: the list, the page that is read every morning, comments."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from synkro.blueprints.reports import report_view
from synkro.blueprints.reports.report_rows import rows
from synkro.blueprints.shared import reader
from synkro.blueprints.shared.forms import CommentForm
from synkro.blueprints.shared.found import found_or_404
from synkro.blueprints.shared.paging import asked_page, pager
from synkro.models import Report
from synkro.models.states import Role
from synkro.services.reports import holding, reports
from synkro.web.access import access

blueprint = Blueprint("reports", __name__, url_prefix="/reports")


@blueprint.get("")
@access(Role.USER)
def index() -> str:
    found = reports.listed(asked_page(request.args))
    ways = pager(found, lambda number: url_for("reports.index", page=number))
    return render_template("reports/list.html", rows=rows(found.rows), pager=ways)


@blueprint.get("/<uuid:report_id>")
@access(Role.USER)
def show(report_id: uuid.UUID) -> str:
    return _page(found_or_404(reports.find(report_id), Report, report_id), CommentForm())


@blueprint.post("/<uuid:report_id>/comments")
@access(Role.USER, form=True)
def comment(report_id: uuid.UUID) -> Response | tuple[str, int]:
    report = found_or_404(reports.find(report_id), Report, report_id)
    form = CommentForm()
    if not form.validate():
        return _page(report, form), 422
    reports.comment(report, reader.me(), form.text.data)
    return redirect(url_for("reports.show", report_id=report_id, _anchor="comments"), 303)


@blueprint.post("/<uuid:report_id>/release")
@access(Role.USER, settings=True)
def release(report_id: uuid.UUID) -> Response:
    """Into the group, where the report waits for that. A second press changes nothing."""
    report = found_or_404(reports.find(report_id), Report, report_id)
    holding.release(report.id, reader.me().id)
    flash(gettext("The report is on its way to the group."))
    return redirect(url_for("reports.show", report_id=report_id), 303)


def _page(report: Report, form: CommentForm) -> str:
    shown = report_view.context(report)
    return render_template("reports/show.html", **shown, comments=report_view.comments(report), comment_form=form)
