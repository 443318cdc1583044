"""Runs: watch one, stop it, continue it. One is started on the overview: blueprints/dashboard/dashboard.py."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from synkro.blueprints.reports import run_view
from synkro.blueprints.shared import reader
from synkro.blueprints.shared.found import found_or_404
from synkro.models import JobRun
from synkro.models.states import Role
from synkro.services.reports import progress, runs
from synkro.web.access import access
from synkro.web.answers import wants_json

blueprint = Blueprint("runs", __name__)


@blueprint.get("/runs/<uuid:run_id>")
@access(Role.USER)
def show(run_id: uuid.UUID) -> str:
    run = run_view.view(found_or_404(progress.read(run_id), JobRun, run_id))
    return render_template("reports/runs/show.html", run=run, steps=run.steps, poll=run.poll)


@blueprint.get("/runs/<uuid:run_id>/steps")
@access(Role.USER, limit="poll")
def steps(run_id: uuid.UUID) -> Response:
    """The block that renews itself, or its facts as JSON. 304 when nothing was told since."""
    rows = found_or_404(progress.read(run_id), JobRun, run_id)
    as_json = wants_json()
    mark = progress.mark_of(rows, reader.language(), "json" if as_json else "html")
    if request.if_none_match.contains_weak(mark):
        response = make_response("", 304)
    else:
        response = _facts(rows) if as_json else _block(rows)
    # weak: the seconds of a running step go on between two states
    response.set_etag(mark, weak=True)
    response.vary.add("Accept")
    return response


def _block(rows: progress.Rows) -> Response:
    run = run_view.view(rows)
    return make_response(render_template("reports/runs/_steps.html", run=run, steps=run.steps, poll=run.poll))


def _facts(rows: progress.Rows) -> Response:
    run = run_view.view(rows)
    report = str(run.report_id) if run.report_id else None
    return jsonify(id=str(run.id), status=run.status, report=report, steps=[step.to_json() for step in run.steps])


@blueprint.post("/runs/<uuid:run_id>/stop")
@access(Role.USER)
def stop(run_id: uuid.UUID) -> AnyResponse:
    runs.stop(found_or_404(runs.find(run_id), JobRun, run_id))
    return redirect(url_for("runs.show", run_id=run_id), 303)


@blueprint.post("/runs/<uuid:run_id>/resume")
@access(Role.USER, limit="ai")
def resume(run_id: uuid.UUID) -> AnyResponse:
    """From the first step that is not done. 409 while the run or another one is at work."""
    runs.resume(found_or_404(runs.find(run_id), JobRun, run_id))
    return redirect(url_for("runs.show", run_id=run_id), 303)


@blueprint.post("/runs/<uuid:run_id>/send-again")
@access(Role.USER, limit="ai")
def send_again(run_id: uuid.UUID) -> AnyResponse:
    """What may have arrived in the group, or not. 409 where nothing is in doubt, and when pressed twice."""
    runs.send_again(found_or_404(runs.find(run_id), JobRun, run_id))
    return redirect(url_for("runs.show", run_id=run_id), 303)
