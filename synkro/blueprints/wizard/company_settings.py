"""The set-up of a company that asks for help, for a super_admin: states and an empty form, never what is saved."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from synkro.blueprints.shared.form_errors import ABOVE, errors_on
from synkro.blueprints.shared.forms import PostedForm
from synkro.blueprints.wizard.connection_form import filled_in, key_form
from synkro.errors import AppError
from synkro.i18n import _l
from synkro.integrations import INTEGRATIONS
from synkro.models.states import Role
from synkro.services.companies import tenants
from synkro.services.connections import staff_access
from synkro.services.connections.staff_access import Seen
from synkro.web.access import access, is_fresh

blueprint = Blueprint("company_settings", __name__, url_prefix="/admin/companies/<uuid:tenant_id>/settings")

POLL_SECONDS = 2


@blueprint.get("")
@access(Role.SUPER_ADMIN)
def index(tenant_id: uuid.UUID) -> str:
    steps = staff_access.visit(current_user, tenant_id)
    return render_template("wizard/company/index.html", tenant=tenants.get(tenant_id), steps=steps)


@blueprint.get("/<kind>")
@access(Role.SUPER_ADMIN)
def show(tenant_id: uuid.UUID, kind: str) -> str:
    _known(kind)
    return _page(tenant_id, kind, staff_access.visit(current_user, tenant_id))


@blueprint.post("/<kind>")
@access(Role.SUPER_ADMIN, fresh="password", form=True)
def save(tenant_id: uuid.UUID, kind: str) -> Response | tuple[str, int]:
    """Any of the fields of the service; those that are empty or not sent stay as they are."""
    form = key_form(_known(kind), request.form, blind=True)
    if not form.validate():
        return _page(tenant_id, kind, staff_access.visit(current_user, tenant_id), form), 422
    with errors_on(form, others=ABOVE) as act:  # the sentences name the field themselves
        staff_access.save(current_user, tenant_id, kind, filled_in(form, kind, request.args.get("way", "")))
    if act.refused:
        return _page(tenant_id, kind, staff_access.visit(current_user, tenant_id), form), act.refused
    flash(gettext("Saved. The company finds it in its audit."))
    return _to(tenant_id, kind)


@blueprint.post("/<kind>/check")
@access(Role.SUPER_ADMIN)
def check(tenant_id: uuid.UUID, kind: str) -> Response:
    staff_access.check(current_user, tenant_id, _known(kind))
    return _to(tenant_id, kind)


@blueprint.get("/<kind>/state")
@access(Role.SUPER_ADMIN, limit="poll")
def state(tenant_id: uuid.UUID, kind: str) -> str:
    """The parts of the page that renew themselves."""
    steps = staff_access.visit(current_user, tenant_id)
    step = _step(_known(kind), steps)
    return render_template(
        "wizard/company/_renewed.html", tenant_id=tenant_id, steps=steps, step=step, poll=_poll(step)
    )


def _known(kind: str) -> str:
    if kind not in INTEGRATIONS:
        raise AppError(404, "no_such_service", _l("There is no such service"))
    return kind


def _step(kind: str, steps: list[Seen]) -> Seen:
    return next(step for step in steps if step.kind == kind)


def _poll(step: Seen) -> int:
    return POLL_SECONDS if step.state == "checking" else 0


def _to(tenant_id: uuid.UUID, kind: str) -> Response:
    return redirect(url_for("company_settings.show", tenant_id=tenant_id, kind=kind) + "#state", 303)


def _page(tenant_id: uuid.UUID, kind: str, steps: list[Seen], form: PostedForm | None = None) -> str:
    """With the form as it was sent, where it was; else an empty one, of the first way to connect or the one wished."""
    ways, wished = INTEGRATIONS[kind].ways, request.args.get("way", "")
    way = wished if wished in ways else next(iter(ways), "")
    step = _step(kind, steps)
    return render_template(
        "wizard/company/service.html",
        tenant=tenants.get(tenant_id),
        tenant_id=tenant_id,
        steps=steps,
        step=step,
        ways=ways,
        way=way,
        form=form or key_form(kind, None, way, blind=True),
        can_change=is_fresh("password"),
        poll=_poll(step),
    )
