"""The second door: setting the second factor up, showing it, looking after it."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response

from synkro.blueprints.auth import cookie, device
from synkro.blueprints.auth.second_factor_forms import CodeForm
from synkro.blueprints.auth.tries import REFUSED, later
from synkro.blueprints.shared import reader
from synkro.blueprints.shared.form_errors import errors_on
from synkro.blueprints.shared.own_paths import page_or
from synkro.models.states import Role
from synkro.services.auth import recovery_codes, second_factor, sessions
from synkro.services.auth.attempts import TooManyTries
from synkro.web.access import access, current_session

blueprint = Blueprint("second_factor", __name__)

FEW_CODES = 3
Answer = Response | tuple[str, int]


@blueprint.route("/second-factor", methods=["GET", "POST"])
@access(*Role, half="code", limit="auth", form=True)
def ask() -> Answer:
    """A code of the app or a recovery code."""
    if reader.is_signed_in():
        return redirect(reader.start_page(current_user))
    form = CodeForm(next=request.args.get("next", ""))
    if request.method != "POST":
        return _ask_page(form), 200
    if not form.validate():
        return _ask_page(form), 422
    try:
        right = second_factor.take_code(current_user.id, form.code.data, device.known(current_user.email))
    except TooManyTries as refusal:
        return later(_ask_page(form, refusal.says, waits=True), refusal)
    if not right:
        return _ask_page(form, gettext("This code does not fit, or it was used already.")), REFUSED
    cookie.renew(sessions.confirm(current_session(), factor=True))
    response = redirect(page_or(form.next.data, reader.start_page(current_user)), 303)
    device.remember(response, current_user.email)
    return response


def _ask_page(form: CodeForm, problem: object = None, *, waits: bool = False) -> str:
    return render_template("auth/second_factor/ask.html", form=form, problem=problem, waits=waits)


@blueprint.route("/second-factor/set-up", methods=["GET", "POST"])
@access(*Role, fresh="password", half="enrol", limit="auth", form=True)
def enrol() -> Answer:
    """Open to everybody; staff without a second factor reach nothing else."""
    if second_factor.state(current_user.id).confirmed_at:
        return redirect(url_for("second_factor.manage"))
    form = CodeForm(next=request.args.get("next", ""))
    if request.method != "POST":
        return _enrol_page(form), 200
    if not form.validate():
        return _enrol_page(form), 422
    with errors_on(form, others="code") as act:
        codes = second_factor.confirm(current_user, current_session().id, form.code.data)
    if act.refused:
        return _enrol_page(form), act.refused
    cookie.renew(sessions.confirm(current_session(), factor=True))
    response = make_response(_codes_page(codes, page_or(form.next.data, reader.start_page(current_user))))
    device.remember(response, current_user.email)
    return response


def _enrol_page(form: CodeForm) -> str:
    setup = second_factor.begin(current_user, current_session().id)
    qr = Markup(setup.qr_svg)  # noqa: S704 (drawn by us: squares, no text)
    return render_template(
        "auth/second_factor/enrol.html", form=form, setup=setup, qr=qr, due=not reader.is_signed_in()
    )


def _codes_page(codes: list[str], onward: str) -> Answer:
    """Shown by the answer to a post alone: no address leads to the codes again."""
    return render_template("auth/second_factor/codes.html", codes=codes, onward=onward), 200


@blueprint.get("/account/second-factor")
@access(*Role)
def manage() -> str:
    state = second_factor.state(current_user.id)
    return render_template(
        "auth/second_factor/manage.html",
        state=state,
        all_codes=recovery_codes.HOW_MANY,
        few_codes=FEW_CODES,
        may_switch_off=not current_user.is_staff,
    )


@blueprint.post("/account/second-factor/codes")
@access(*Role, fresh="password code", limit="auth")
def new_codes() -> Answer:
    return _codes_page(second_factor.new_recovery_codes(current_user), url_for("second_factor.manage"))


@blueprint.post("/account/second-factor/off")
@access(Role.USER, fresh="password code", limit="auth")
def switch_off() -> Response:
    second_factor.switch_off(current_user)
    flash(gettext("The second factor is off. The password alone opens your account now."), "warning")
    return redirect(url_for("second_factor.manage"), 303)
