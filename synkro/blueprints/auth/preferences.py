"""Theme and language: kept with the person, or in the session of a visitor."""

from __future__ import annotations

from flask import Blueprint, redirect, session, url_for
from werkzeug.wrappers import Response
from wtforms import StringField

from synkro import i18n
from synkro.blueprints.shared import reader
from synkro.blueprints.shared.forms import LanguageForm, ThemeForm
from synkro.blueprints.shared.own_paths import page_or
from synkro.errors import AppError
from synkro.i18n import _l
from synkro.services.auth import accounts
from synkro.web.access import access

blueprint = Blueprint("preferences", __name__, url_prefix="/preferences")


@blueprint.post("/theme")
@access(public=True, form=True)
def theme() -> Response:
    form = ThemeForm()
    chosen = _one_of(form.theme, reader.THEMES)
    if reader.is_signed_in():
        accounts.set_theme(reader.me(), chosen)
    else:
        session["theme"] = chosen
    return _back(form.next.data)


@blueprint.post("/language")
@access(public=True, form=True)
def language() -> Response:
    form = LanguageForm()
    chosen = _one_of(form.language, i18n.LANGUAGES)
    if reader.is_signed_in():
        accounts.set_language(reader.me(), chosen)
    else:
        session["language"] = chosen
    return _back(form.next.data)


def _one_of(field: StringField, allowed: tuple[str, ...]) -> str:
    if field.data not in allowed:
        raise AppError(422, f"bad_{field.name}", _l("This value is not possible"))
    return str(field.data)


def _back(wanted: str | None) -> Response:
    return redirect(page_or(wanted, url_for("public.index")), 303)
