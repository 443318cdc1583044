"""The settings of a company: its services, one page each, and what is tried out on them."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from synkro.blueprints.shared.form_errors import ABOVE, errors_on
from synkro.blueprints.shared.forms import PostedForm, TrialForm
from synkro.blueprints.wizard.connection_form import filled_in, key_form, missing_labels, way_of
from synkro.blueprints.wizard.connection_view import shown
from synkro.errors import AppError
from synkro.i18n import _l
from synkro.integrations import INTEGRATIONS
from synkro.models.states import Role
from synkro.services.connections import checks, integrations, setup, trials
from synkro.web.access import access

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


@blueprint.get("")
@access(Role.USER, settings=True)
def index() -> str:
    steps = setup.steps()
    return render_template("wizard/index.html", steps=steps, onward=setup.first_open(steps))


@blueprint.get("/<kind>")
@access(Role.USER, settings=True)
def show(kind: str) -> str:
    return _page(_known(kind))


@blueprint.post("/<kind>")
@access(Role.USER, settings=True, fresh="password", form=True)
def save(kind: str) -> Response | tuple[str, int]:
    """Any of the fields of the service; those that are not sent stay as they are."""
    form = key_form(_known(kind), request.form)
    if not form.validate():
        return _page(kind, form), 422
    way = request.args.get("way", "")
    with errors_on(form, others=ABOVE) as act:  # the sentences name the field themselves
        integrations.save(kind, filled_in(form, kind, way))
    if act.refused:
        return _page(kind, form), act.refused
    if not integrations.is_connected(kind):
        return _to_what_is_missing(kind, way)
    checks.request(kind)
    flash(gettext("Saved."))
    return _to(kind)


@blueprint.post("/<kind>/check")
@access(Role.USER, settings=True)
def check(kind: str) -> Response:
    checks.request(_known(kind))
    return _to(kind)


@blueprint.post("/<kind>/try/<act>")
@access(Role.USER, settings=True, limit="ai", form=True)
def try_out(kind: str, act: str) -> Response:
    asked = {"newest": True} if TrialForm().newest.data else {}
    trials.request(_known(kind), act, by=current_user.id, asked=asked)
    return _to(kind)


@blueprint.get("/<kind>/state")
@access(Role.USER, settings=True, limit="poll")
def state(kind: str) -> str:
    """The parts of the page that renew themselves."""
    return render_template("wizard/_renewed.html", shown=shown(_known(kind)))


def _known(kind: str) -> str:
    if kind not in INTEGRATIONS:
        raise AppError(404, "no_such_service", _l("There is no such service"))
    return kind


def _to_what_is_missing(kind: str, way: str) -> Response:
    """On the page of the way that was sent: to the form, or past it where only the vendor's consent is left."""
    here = url_for("settings.show", kind=kind, way=way or None)
    if missing := missing_labels(kind, way):
        flash(gettext("Not checked yet. Still to be filled in: %(fields)s.", fields=", ".join(missing)), "warning")
        return redirect(here + "#keys", 303)
    flash(gettext("Saved. One more step is left on this page."), "warning")
    return redirect(here + "#connect", 303)


def _to(kind: str) -> Response:
    return redirect(url_for("settings.show", kind=kind) + "#state", 303)


def _page(kind: str, form: PostedForm | None = None) -> str:
    """With the form as it was sent, where it was."""
    way = way_of(kind, request.args.get("way", ""))
    form = form or key_form(kind, None, way)
    return render_template("wizard/connection.html", shown=shown(kind), form=form, way=way)
