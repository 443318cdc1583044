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
    return request.accept_languages.best_match(LANGUAGES) or DEFAULT_LANGUAGE


def timezone() -> str:
    return "Asia/Almaty"
