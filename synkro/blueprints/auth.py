"""In and out."""

from __future__ import annotations

import hashlib

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext
from flask_login import login_user, logout_user
from werkzeug.wrappers import Response

from synkro.access import access
from synkro.blueprints import reader
from synkro.blueprints.forms import SignInForm
from synkro.blueprints.own_paths import page_or
from synkro.extensions import limiter
from synkro.models import User
from synkro.services import accounts, tenants

blueprint = Blueprint("auth", __name__)

REFUSED = 401
KEPT = ("language", "theme")
"""Of a visitor's session: how the pages look, nothing about who it is."""


def _was_refused(response: Response) -> bool:
    """Only failures count: an office shares one address, and everybody in it signs in at nine."""
    return response.status_code == REFUSED


def _account() -> str:
    """What was typed, whether there is such an account or not. Hashed: it may well be a password in the wrong field."""
    email = request.form.get("email", "").replace("\x00", "").strip().lower()
    return hashlib.sha256(email.encode(errors="replace")).hexdigest()


@blueprint.route("/login", methods=["GET", "POST"])
@access(public=True)
@limiter.limit("5 per minute", methods=["POST"], deduct_when=_was_refused)
@limiter.limit("20 per 15 minutes", key_func=_account, methods=["POST"], deduct_when=_was_refused)
def sign_in() -> Response | tuple[str, int]:
    """The same answer to an unknown account, a wrong password and a disabled person."""
    if reader.is_signed_in():
        return redirect(reader.start_page())
    form = SignInForm(next=request.args.get("next", ""))
    if request.method == "GET":
        return render_template("auth/login.html", form=form, problem=None), 200
    if not form.validate():
        return render_template("auth/login.html", form=form, problem=None), 422
    # PostgreSQL takes no zero byte in a text: an address with one is nobody's
    user = accounts.sign_in(form.email.data.replace("\x00", ""), form.password.data)
    if user is None:
        problem = gettext("The e-mail or the password is wrong.")
        return render_template("auth/login.html", form=form, problem=problem), REFUSED
    _enter(user)
    return redirect(page_or(form.next.data, reader.start_page()), 303)


def _enter(user: User) -> None:
    """A session of its own: nothing that was planted before the sign-in is in it."""
    kept = {name: session[name] for name in KEPT if name in session}
    session.clear()
    session.update(kept)
    login_user(user)
    if user.tenant_id and tenants.get(user.tenant_id).is_paused:
        flash(gettext("The company is paused: reports can be read, new ones are not made."), "warning")


@blueprint.post("/logout")
@access(public=True)
def logout() -> Response:
    """Open to all: a second press, or one after the session has ended, is no error."""
    kept = {name: session[name] for name in KEPT if name in session}
    logout_user()
    session.clear()
    session.update(kept)
    return redirect(url_for("auth.sign_in"), 303)
