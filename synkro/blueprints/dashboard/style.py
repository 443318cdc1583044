"""The page that shows every component, for those who build pages."""

from __future__ import annotations

from flask import Blueprint, abort, render_template

from synkro.extensions import settings
from synkro.web.access import access

blueprint = Blueprint("style", __name__)


@blueprint.get("/style")
@access(public=True)
def sheet() -> str:
    if settings().production:
        abort(404)
    return render_template("dashboard/style.html")
