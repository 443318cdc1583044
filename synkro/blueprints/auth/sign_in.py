"""In and out, and showing once more who one is."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from synkro.blueprints.auth import cookie, device
from synkro.blueprints.auth.account_forms import ConfirmForm
from synkro.blueprints.auth.browsers import browser_name
from synkro.blueprints.auth.second_factor_forms import CodeForm
from synkro.blueprints.auth.tries import REFUSED, counted, later
from synkro.blueprints.shared import reader
from synkro.blueprints.shared.forms import SignInForm
from synkro.blueprints.shared.own_paths import page_or
from synkro.errors import AppError
from synkro.i18n import _l
from synkro.models import User
from synkro.models.states import Role
from synkro.services.auth import accounts, second_factor, sessions
from synkro.services.auth.attempts import TooManyTries
from synkro.services.companies import tenants
from synkro.services.mail import notices
from synkro.web.access import access, current_session

blueprint = Blueprint("auth", __name__)

Answer = Response | tuple[str, int]


@blueprint.route("/login", methods=["GET", "POST"])
@access(public=True, limit="auth", form=True)
def sign_in() -> Answer:
    """The same answer to an unknown account, a wrong password and a disabled person."""
    if reader.is_signed_in():
        return redirect(reader.start_page(current_user))
    form = SignInForm(next=request.args.get("next", ""), email=session.get(cookie.EMAIL, ""))
    if request.method != "POST":
        return _door(form), 200
    if not form.validate():
        return _door(form), 422
    # PostgreSQL takes no zero byte in a text: an address with one is nobody's
    email = form.email.data.replace("\x00", "")
    try:
        user = counted(email, lambda: accounts.sign_in(email, form.password.data))
    except TooManyTries as refusal:
        return later(_door(form, refusal.says), refusal)
    except AppError as refusal:
        return _door(form, refusal.says), refusal.status
    if user is None:
        wrong, advice = (
            gettext("The e-mail or the password is wrong."),
            gettext("Check the keyboard layout and Caps Lock."),
        )
        return _door(form, wrong, advice), REFUSED
    return _let_in(user, page_or(form.next.data, reader.start_page(user)))


def _door(form: SignInForm, problem: object = None, advice: str = "") -> str:
    return render_template("auth/login.html", form=form, problem=problem, advice=advice)


def _let_in(user: User, onward: str) -> Response:
    is_new_here = not device.known(user.email)
    cookie.put(user)
    if user.tenant_id and tenants.get(user.tenant_id).is_paused:
        flash(gettext("The company is paused: reports can be read, new ones are not made."), "warning")
    response = redirect(onward, 303)
    if not user.is_staff and second_factor.state(user.id).confirmed_at is None:
        device.remember(response, user.email)  # else only behind the second door: the password alone makes no friend
    if is_new_here:
        notices.new_device(user, request.remote_addr or "", browser_name(request.user_agent.string))
    return response


@blueprint.post("/logout")
@access(public=True)
def logout() -> Response:
    """Open to all: a second press, or one after the session has ended, is no error."""
    if now := current_session():
        accounts.end_session(current_user, now.id)
    cookie.clear()
    response = redirect(url_for("auth.sign_in"), 303)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@blueprint.route("/confirm", methods=["GET", "POST"])
@access(*Role, limit="auth", form=True)
def confirm() -> Answer:
    """what: password or code, to be shown once more before something weighty. Then on to `next`."""
    what = "code" if request.args.get("what") == "code" else "password"
    onward = page_or(request.args.get("next"), reader.start_page(current_user))
    if what == "code" and second_factor.state(current_user.id).confirmed_at is None:
        return redirect(url_for("second_factor.enrol", next=onward))
    form = FORMS[what]()
    if request.method != "POST":
        return _confirm_page(form, what), 200
    if not form.validate():
        return _confirm_page(form, what), 422
    try:
        right = _is_right(what, form[what].data)
    except TooManyTries as refusal:
        return later(_confirm_page(form, what, refusal.says), refusal)
    if not right:
        return _confirm_page(form, what, WRONG[what]), REFUSED
    cookie.renew(sessions.confirm(current_session(), password=what == "password", factor=what == "code"))
    return redirect(onward, 303)


FORMS: dict[str, type[FlaskForm]] = {"password": ConfirmForm, "code": CodeForm}
WRONG = {
    "password": _l("The password is wrong."),
    "code": _l("This code does not fit, or it was used already."),
}


def _is_right(what: str, shown: str) -> bool:
    """Raises TooManyTries."""
    if what == "code":
        return second_factor.take_code(current_user.id, shown, device.known(current_user.email))
    return counted(current_user.email, lambda: accounts.is_password(current_user, shown))


def _confirm_page(form: FlaskForm, what: str, problem: object = None) -> str:
    return render_template("auth/confirm.html", form=form, what=what, problem=problem)
