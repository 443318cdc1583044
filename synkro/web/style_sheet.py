"""The style sheet of all pages: a file for each part of a page, sent as one, at an address that follows its content."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, request, url_for

FOLDER = Path(__file__).parents[1] / "static" / "css"
NAME = "css/synkro.css"
"""Beside the parts, so that what they load is found from here as well."""
FIRST = ("fonts", "tokens", "base")
LAST = ("overview", "contrast", "layout")
"""What differs from the parts on one page or in one place stands after them. Each part of its own is in ui/."""
KEPT = 31_536_000
"""Seconds: a year, the most that browsers are told."""


def init_app(app: Flask) -> None:
    """Before what is decided by the kind of a request: to everything else this is one more file."""

    def static(filename: str) -> Response:
        return _answer() if filename == NAME else app.send_static_file(filename)

    app.view_functions["static"] = static
    app.add_template_global(lambda: url_for("static", filename=NAME, v=digest()), "style_sheet")


def parts() -> list[Path]:
    """In the order in which they hold."""
    inner = sorted((FOLDER / "ui").glob("*.css"))
    return [*(FOLDER / f"{name}.css" for name in FIRST), *inner, *(FOLDER / f"{name}.css" for name in LAST)]


@cache
def text() -> str:
    """Put together once: after a change of a part the program has to start anew."""
    return "\n".join(part.read_text("utf-8") for part in parts())


@cache
def digest() -> str:
    return hashlib.sha256(text().encode()).hexdigest()[:16]


def _answer() -> Response:
    answer = Response(text(), mimetype="text/css")
    answer.set_etag(digest())
    if request.args.get("v") == digest():
        answer.cache_control.public = True
        answer.cache_control.max_age = KEPT
        answer.cache_control.immutable = True
    else:  # a page from before the latest release asks: what it gets may change
        answer.cache_control.no_cache = True
    answer.make_conditional(request)
    return answer
