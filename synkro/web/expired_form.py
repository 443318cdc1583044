"""A form whose token is no longer good: what was typed is shown, and one press sends it again."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, make_response, render_template, request, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFError

from synkro.infra.log import request_id
from synkro.web.answers import answer, wants_json

SECRET = re.compile(r"(?i)pass|code|token|key|secret|otp")
"""Names of fields that are typed anew: a page that shows them could be seen, saved or printed."""
MOST_FIELDS = 50
MOST_TYPED = 300_000
"""Characters of all fields together; an expired form above is not offered again."""
LONG = 60
"""From here on, or with a second line, a text is shown; what is shorter goes along unseen."""


def init_app(app: Flask) -> None:
    @app.errorhandler(CSRFError)
    def expired(_error: CSRFError) -> Response:
        typed = _typed() if _is_a_form_of_ours() else None
        if typed is None:
            return answer(400, "csrf")
        page = render_template(
            "shared/expired.html",
            # built and not taken from the request: the form leads to our own page whatever was asked for
            action=url_for(request.endpoint or "", **(request.view_args or {})),
            long=[one for one in typed if _is_long(one[1])],
            short=[one for one in typed if not _is_long(one[1])],
            secret=any(SECRET.search(name) for name in request.form if name != "csrf_token"),
            signed_out=_is_signed_out(),
            request_id=request_id(),
        )
        return make_response(page, 400)


def _is_a_form_of_ours() -> bool:
    """A page of another site must not be able to put words into a form that carries a good token."""
    if request.method != "POST" or wants_json() or "HX-Request" in request.headers:
        return False
    if "Sec-Fetch-Site" in request.headers:
        return request.headers["Sec-Fetch-Site"] == "same-origin"
    return urlsplit(request.referrer or "").netloc == request.host


def _typed() -> list[tuple[str, str]] | None:
    """What may be shown of the form; None where it is too much, since half a form would be worse than none."""
    fields = [(name, value) for name, value in request.form.items(multi=True) if not SECRET.search(name)]
    if len(fields) > MOST_FIELDS or sum(len(name) + len(value) for name, value in fields) > MOST_TYPED:
        return None
    return fields


def _is_long(text: str) -> bool:
    return len(text) >= LONG or "\n" in text


def _is_signed_out() -> bool:
    """Whether sending again would end at the sign-in page, with everything typed gone."""
    rule = getattr(current_app.view_functions[request.endpoint or ""], "access", None)
    return not (rule and rule.public) and not current_user.is_authenticated
