"""Approval of servers of a company's own: its people ask, a super_admin decides."""

from __future__ import annotations

import uuid
from contextlib import suppress

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from synkro.errors import AppError
from synkro.models.states import Role
from synkro.services.connections import hosts, staff_access
from synkro.web.access import access

blueprint = Blueprint("hosts", __name__)


@blueprint.post("/settings/<kind>/host")
@access(Role.USER, settings=True)
def ask(kind: str) -> Response:
    """For the host of the saved address: nothing that is sent counts."""
    hosts.ask(kind, current_user)
    flash(gettext("Asked for. Synkro's staff look at the address; after that it is checked by itself."))
    return redirect(url_for("settings.show", kind=kind) + "#state", 303)


@blueprint.post("/admin/companies/<uuid:tenant_id>/hosts/<uuid:host_id>/approve")
@access(Role.SUPER_ADMIN, fresh="password")
def approve(tenant_id: uuid.UUID, host_id: uuid.UUID) -> Response:
    kind = hosts.approve(current_user, tenant_id, host_id)
    flash(gettext("Approved. The connection is being checked."))
    return _checked(tenant_id, kind)


@blueprint.post("/admin/companies/<uuid:tenant_id>/hosts/<uuid:host_id>/withdraw")
@access(Role.SUPER_ADMIN, fresh="password")
def withdraw(tenant_id: uuid.UUID, host_id: uuid.UUID) -> Response:
    kind = hosts.withdraw(current_user, tenant_id, host_id)
    flash(gettext("Taken back: this company no longer reaches the host."))
    return _checked(tenant_id, kind)


def _checked(tenant_id: uuid.UUID, kind: str) -> Response:
    """The light of the connection follows the decision; without a queue the hourly check does it."""
    with suppress(AppError):
        staff_access.check(current_user, tenant_id, kind)
    return redirect(url_for("admin.company", tenant_id=tenant_id) + "#hosts", 303)
