"""The way to amoCRM's page and back, and the address that amoCRM calls when the integration is switched off there."""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response as Answer

from synkro.blueprints.shared import reader
from synkro.errors import AppError
from synkro.models.states import Role
from synkro.services.companies import tenants
from synkro.services.connections import amocrm_connect, amocrm_hook
from synkro.services.connections.amocrm_connect import Sender
from synkro.web.access import access, current_session

blueprint = Blueprint("amocrm", __name__)


@blueprint.after_request
def keep_the_address(response: Response) -> Response:
    """It may hold a code, which a click on the page of errors would carry on. Forms need our origin and no more."""
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


@blueprint.get("/settings/amocrm/authorize")
@access(Role.USER, settings=True, fresh="password")
def authorize() -> Answer:
    try:
        return redirect(amocrm_connect.begin(_sender()))
    except AppError as refusal:
        if refusal.status != 409:
            raise
        flash(str(refusal.says), "warning")
        return _to_the_settings()


@blueprint.get("/integrations/amocrm/callback/<slug>")
@access(Role.USER, settings=True)
def callback(slug: str) -> Answer:
    """Another site leads here, so the cookie is all that is known: the state tells whether this browser began it."""
    agreed = amocrm_connect.finish(reader.my_company(), _sender(), slug, request.args)
    if agreed:
        flash(gettext("amoCRM has let Synkro in. Now it is being checked."))
    else:
        flash(gettext("You did not agree in amoCRM, so nothing was connected."), "warning")
    return _to_the_settings()


@blueprint.get("/integrations/amocrm/disabled/<slug>")
@access(public=True, limit="webhook")
def disabled(slug: str) -> tuple[str, int]:
    """To a stranger a company that exists looks like one that does not."""
    tenant = tenants.by_slug(slug)
    if tenant is None or not amocrm_hook.switched_off(tenant, request.args):
        abort(404)
    return "", 204


def _sender() -> Sender:
    return Sender(reader.my_company().id, current_user.id, current_session().id)


def _to_the_settings() -> Answer:
    return redirect(url_for("settings.show", kind="amocrm", way="oauth") + "#state", 303)
