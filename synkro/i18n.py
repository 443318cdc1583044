"""Languages: which one a person reads, and the marker for texts that are translated later."""

from __future__ import annotations

from flask import has_request_context, request
from flask_babel import LazyString, lazy_gettext
from flask_login import current_user

LANGUAGES = ("ru", "kk", "en")
DEFAULT_LANGUAGE = "ru"


def _l(text: str, **values: str) -> LazyString:
    """Mark an English text for translation; it is looked up, and its placeholders are filled, when it is shown."""
    return lazy_gettext(text, **values)


def locale() -> str:
    """The person's own choice, else what the browser asks for, else Russian."""
    if not has_request_context():
        return DEFAULT_LANGUAGE
    if current_user.is_authenticated and current_user.language in LANGUAGES:
        return str(current_user.language)
    return _asked_for()


def _asked_for() -> str:
    """Of what the browser wishes most, the first that we speak: kk-KZ is Kazakh, also where plain Russian follows."""
    wished = (tag.partition("-")[0].lower() for tag, weight in request.accept_languages if weight)
    return next((language for language in wished if language in LANGUAGES), DEFAULT_LANGUAGE)


def timezone() -> str:
    return "Asia/Almaty"
