"""Theme and language: kept with the person, or in the session of a visitor."""

from __future__ import annotations

from flask import Blueprint, redirect, request, session, url_for
from werkzeug.wrappers import Response

from synkro import i18n
from synkro.access import access
from synkro.blueprints import reader
from synkro.blueprints.own_paths import page_or
from synkro.errors import AppError
from synkro.i18n import _l
from synkro.services.entry import accounts

blueprint = Blueprint("preferences", __name__, url_prefix="/preferences")


@blueprint.post("/theme")
@access(public=True)
def theme() -> Response:
    chosen = _one_of("theme", reader.THEMES)
    if reader.is_signed_in():
        accounts.set_theme(reader.me(), chosen)
    else:
        session["theme"] = chosen
    return _back()


@blueprint.post("/language")
@access(public=True)
def language() -> Response:
    chosen = _one_of("language", i18n.LANGUAGES)
    if reader.is_signed_in():
        accounts.set_language(reader.me(), chosen)
    else:
        session["language"] = chosen
    return _back()


def _one_of(name: str, allowed: tuple[str, ...]) -> str:
    chosen = request.form.get(name, "")
    if chosen not in allowed:
        raise AppError(422, f"bad_{name}", _l("This value is not possible"))
    return chosen


def _back() -> Response:
    return redirect(page_or(request.form.get("next"), url_for("public.index")), 303)
