"""The ways in without a password: an invitation, and a link for whoever forgot it."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext
from flask_limiter import RateLimitExceeded
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from synkro import mail
from synkro.blueprints.auth import cookie
from synkro.blueprints.auth.welcome_forms import ForgotForm, ResetForm, WelcomeForm
from synkro.blueprints.shared import reader
from synkro.blueprints.shared.form_errors import put_error
from synkro.errors import AppError
from synkro.i18n import _l
from synkro.infra import clock
from synkro.models import LinkPurpose, User
from synkro.services.auth import accounts, forgotten, links
from synkro.web.access import access, current_session
from synkro.web.answers import answer
from synkro.web.limits import limiter

blueprint = Blueprint("welcome", __name__)

Answer = Response | tuple[str, int]

OPENED = "link"
"""Where the session keeps an opened link: [purpose, token, second of its opening]."""
OPEN_FOR = timedelta(minutes=30)
FIELDS = {"bad_name": "name", "name_too_long": "name"}
"""Refusals that are not about the password."""
REQUESTS = "10 per hour"
"""For new passwords, from one address."""
HOUR = 3600


@blueprint.route("/welcome", methods=["GET", "POST"])
@access(public=True, limit="auth", form=True)
def accept() -> Answer:
    if links.PARAMETER in request.args:
        return _take_out_of_the_address(LinkPurpose.INVITATION)
    token, user = _opened(LinkPurpose.INVITATION)
    if user is None:
        return _ended(LinkPurpose.INVITATION)
    form = WelcomeForm(name=user.name, language=user.language or reader.language())
    if not form.validate_on_submit():
        return _page("accept", form, user)
    try:
        links.accept(token, form.name.data, form.language.data, form.password.data)
    except AppError as refusal:
        return _refused("accept", form, user, refusal)
    _leave(user, gettext("Welcome! Sign in with your new password."))
    session["language"] = form.language.data
    return redirect(url_for("auth.sign_in"), 303)


@blueprint.route("/reset", methods=["GET", "POST"])
@access(public=True, limit="auth", form=True)
def reset() -> Answer:
    if links.PARAMETER in request.args:
        return _take_out_of_the_address(LinkPurpose.RESET)
    token, user = _opened(LinkPurpose.RESET)
    if user is None:
        return _ended(LinkPurpose.RESET)
    form = ResetForm()
    if not form.validate_on_submit():
        return _page("reset", form, user)
    try:
        links.reset(token, form.password.data)
    except AppError as refusal:
        return _refused("reset", form, user, refusal)
    _leave(user, gettext("The new password is set, and all browsers are signed out. Sign in with it."))
    return redirect(url_for("auth.sign_in"), 303)


@blueprint.route("/forgot", methods=["GET", "POST"])
@access(public=True, limit="auth", form=True)
def forgot() -> Answer:
    """The same answer for every address."""
    form = ForgotForm()
    if not form.validate_on_submit():
        is_sent, has_mail = "sent" in request.args, mail.is_configured()
        page = render_template("auth/welcome/forgot.html", form=form, is_sent=is_sent, has_mail=has_mail)
        return page, 422 if form.errors else 200
    address = request.remote_addr or ""
    try:
        with limiter.limit(REQUESTS, key_func=lambda: address):
            forgotten.ask(form.email.data, address)
    except RateLimitExceeded:
        says = _l("Too many letters were asked for from here. Try again in an hour.")
        response = answer(429, "too_many_requests", says, retry_after=HOUR)
        response.headers["Retry-After"] = str(HOUR)
        return response
    return redirect(url_for("welcome.forgot", sent=1), 303)


def _take_out_of_the_address(purpose: LinkPurpose) -> Response:
    """What stands in an address is seen over the shoulder, kept by browsers and logged by proxies."""
    session[OPENED] = [purpose, request.args[links.PARAMETER][: links.LONGEST_TOKEN], int(clock.now().timestamp())]
    return redirect(request.path, 303)


def _opened(purpose: LinkPurpose) -> tuple[str, User | None]:
    kept, token, at = session.get(OPENED, ("", "", 0))
    if kept != purpose or clock.now().timestamp() - at > OPEN_FOR.total_seconds():
        return "", None
    return token, links.find(token, purpose)


def _page(name: str, form: FlaskForm, user: User) -> tuple[str, int]:
    page = render_template(f"auth/welcome/{name}.html", form=form, email=user.email)
    return page, 422 if form.errors else 200


def _refused(name: str, form: FlaskForm, user: User, refusal: AppError) -> tuple[str, int]:
    if refusal.code == "link_ended":
        return _ended(LinkPurpose.INVITATION if name == "accept" else LinkPurpose.RESET)
    put_error(form, refusal, FIELDS, others="password")
    return _page(name, form, user)


def _ended(purpose: LinkPurpose) -> tuple[str, int]:
    session.pop(OPENED, None)
    return render_template("auth/welcome/ended.html", is_invitation=purpose == LinkPurpose.INVITATION), 410


def _leave(user: User, says: str) -> None:
    """To the door, also from the account of somebody else that was open in this browser."""
    if now := current_session():
        accounts.end_session(current_user, now.id)
    cookie.clear()
    session[cookie.EMAIL] = user.email
    flash(says, "success")
