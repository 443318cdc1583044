"""How the installation is: what the dashboard of the queues cannot tell."""

from __future__ import annotations

from flask import Blueprint, render_template

from synkro.blueprints.shared import formats
from synkro.models.plan import step_of
from synkro.models.states import Role
from synkro.services.operations import workload
from synkro.web.access import access

blueprint = Blueprint("health", __name__, url_prefix="/admin/health")

LOOK_SECONDS = 10


@blueprint.get("")
@access(Role.SUPER_ADMIN)
def show() -> str:
    return _drawn("admin/health.html")


@blueprint.get("/now")
@access(Role.SUPER_ADMIN, limit="poll")
def now() -> str:
    """The block that renews itself."""
    return _drawn("admin/_health.html")


def _drawn(template: str) -> str:
    found = workload.installation()
    return render_template(template, now=found, step_of=step_of, duration=formats.duration, poll=LOOK_SECONDS)
