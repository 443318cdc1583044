"""Languages: which one a person reads, and the marker for texts that are translated later."""

from __future__ import annotations

from flask_babel import LazyString, lazy_gettext

LANGUAGES = ("ru", "en")
DEFAULT_LANGUAGE = "ru"


def _l(text: str) -> LazyString:
    """Mark an English text for translation; it is looked up when it is shown."""
    return lazy_gettext(text)
