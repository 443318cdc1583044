"""Pages without sign-in: the front page, and what monitors ask."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from synkro.blueprints.shared import probes, reader
from synkro.web.access import access

blueprint = Blueprint("public", __name__)


@blueprint.get("/")
@access(public=True)
def index() -> AnyResponse | str:
    """Who is in already goes to the own start page."""
    if reader.is_signed_in():
        return redirect(reader.start_page(current_user))
    return render_template("dashboard/public.html", signed_in=False)


@blueprint.get("/health")
@access(public=True, limit="probe")
def healthy() -> Response:
    """Up or down for each part. 503 when the database or Redis is away; a late tick is told, not punished."""
    return probes.answer(probes.healthy())


@blueprint.get("/ready")
@access(public=True, limit="probe")
def ready() -> Response:
    """Whether this code can work on the tables in the database, and companies are kept apart in them."""
    return probes.answer(probes.ready())
