"""The own account: who one is, the password, the second factor, the browsers that are signed in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from synkro.blueprints.auth import cookie
from synkro.blueprints.auth.account_forms import PasswordForm
from synkro.blueprints.auth.browsers import browser_name
from synkro.blueprints.auth.tries import REFUSED, counted, later
from synkro.blueprints.shared.form_errors import errors_on
from synkro.blueprints.shared.found import found_or_404
from synkro.infra import clock
from synkro.models import WebSession
from synkro.models.states import Role
from synkro.services.auth import accounts, passwords, second_factor, sessions
from synkro.services.auth.attempts import TooManyTries
from synkro.web.access import access, current_session

blueprint = Blueprint("account", __name__, url_prefix="/account")

Answer = Response | tuple[str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """One browser that is signed in."""

    id: uuid.UUID
    browser: str
    address: str
    started_at: datetime
    seen_at: datetime
    is_this: bool


@blueprint.get("")
@access(*Role)
def show() -> str:
    return _page(PasswordForm())


def _page(form: PasswordForm) -> str:
    factor = second_factor.state(current_user.id)
    return render_template("auth/account.html", form=form, me=current_user, factor=factor, rows=_rows())


def _rows() -> list[Row]:
    """This browser first, then the latest used. What idled away opens nothing and is left out."""
    own, alive = current_session().id, clock.now() - sessions.idle_of(current_user)
    rows = [
        Row(one.id, browser_name(one.agent), one.address, one.created_at, one.seen_at, one.id == own)
        for one in sessions.of(current_user.id)
        if one.seen_at >= alive
    ]
    return sorted(rows, key=lambda row: not row.is_this)


@blueprint.post("/password")
@access(*Role, limit="auth", form=True)
def change_password() -> Answer:
    form = PasswordForm()
    if not form.validate():
        return _page(form), 422
    try:
        right = counted(current_user.email, lambda: accounts.is_password(current_user, form.current.data))
    except TooManyTries as refusal:
        form.current.errors = [refusal.says]
        return later(_page(form), refusal)
    if not right:
        form.current.errors = [gettext("The password is wrong.")]
        return _page(form), REFUSED
    with errors_on(form, others="new") as act:
        passwords.change(current_user, form.new.data, keep=current_session().id)
    if act.refused:
        return _page(form), act.refused
    cookie.renew(sessions.confirm(current_session(), password=True))
    flash(gettext("The password is changed. All other browsers are signed out."), "success")
    return _back()


@blueprint.post("/sessions/<uuid:session_id>/end")
@access(*Role)
def end_session(session_id: uuid.UUID) -> Response:
    if not accounts.end_session(current_user, session_id):
        found_or_404(None, WebSession, session_id)
    flash(gettext("That browser is signed out."), "success")
    return _back()


@blueprint.post("/sessions/end-others")
@access(*Role)
def end_others() -> Response:
    accounts.end_other_sessions(current_user, keep=current_session().id)
    flash(gettext("All other browsers are signed out."), "success")
    return _back()


def _back() -> Response:
    return redirect(url_for("account.show"), 303)
