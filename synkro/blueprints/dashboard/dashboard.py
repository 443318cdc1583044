"""The page a person starts the day with."""

from __future__ import annotations

from flask import Blueprint

from synkro.blueprints.dashboard.overview import overview_page
from synkro.blueprints.shared.forms import RunForm
from synkro.models.states import Role
from synkro.web.access import access

blueprint = Blueprint("dashboard", __name__)


@blueprint.get("/dashboard")
@access(Role.USER)
def overview() -> str:
    return overview_page(RunForm())
