"""In and out."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from synkro.access import access, sitting
from synkro.blueprints import cookie, reader
from synkro.blueprints.forms import SignInForm
from synkro.blueprints.own_paths import page_or
from synkro.services import accounts, sessions, tenants

blueprint = Blueprint("auth", __name__)

REFUSED = 401


@blueprint.route("/login", methods=["GET", "POST"])
@access(public=True, limit="auth")
def sign_in() -> Response | tuple[str, int]:
    """The same answer to an unknown account, a wrong password and a disabled person."""
    if reader.is_signed_in():
        return redirect(reader.start_page(current_user))
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
    cookie.put(user)
    if user.tenant_id and tenants.get(user.tenant_id).is_paused:
        flash(gettext("The company is paused: reports can be read, new ones are not made."), "warning")
    return redirect(page_or(form.next.data, reader.start_page(user)), 303)


@blueprint.post("/logout")
@access(public=True)
def logout() -> Response:
    """Open to all: a second press, or one after the session has ended, is no error."""
    if now := sitting():
        sessions.end(current_user.id, now.id)
    cookie.clear()
    response = redirect(url_for("auth.sign_in"), 303)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response
