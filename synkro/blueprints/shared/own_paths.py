"""Where a form may send a person afterwards: only to pages of our own."""

from __future__ import annotations

import re

from flask import current_app
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

LONGEST = 2_000
PATH_END = re.compile(r"[?#]")


def is_own_path(text: str) -> bool:
    """One slash, then a path. Browsers read a backslash as a slash and skip tabs and line ends: none is let in."""
    if not text.startswith("/") or len(text) > LONGEST or not text.isprintable() or "\\" in text:
        return False
    # before any parser: urlsplit reads "///host" as a path, browsers read it as a host
    return "//" not in PATH_END.split(text, maxsplit=1)[0]


def page_or(text: str | None, default: str) -> str:
    """The path when it is ours and can be opened with GET, else the default."""
    if not text or not is_own_path(text):
        return default
    try:
        current_app.url_map.bind("").match(PATH_END.split(text, maxsplit=1)[0], method="GET")
    except (HTTPException, RequestRedirect):
        return default
    return text
