"""The last step of the set-up: when reports are made and where they go."""

from __future__ import annotations

from flask import Blueprint, render_template

from synkro.access import access
from synkro.models.states import Role
from synkro.services import setup

blueprint = Blueprint("automation", __name__, url_prefix="/settings/automation")


@blueprint.get("")
@access(Role.USER, settings=True)
def show() -> str:
    return render_template("settings/automation.html", steps=setup.steps())
