"""What every answer tells the browser about safety, and the requests that no page of ours makes."""

from __future__ import annotations

import logging
from collections.abc import Collection
from contextlib import suppress
from urllib.parse import urlsplit

from flask import Flask, Response, request
from redis.exceptions import RedisError
from werkzeug.exceptions import RequestEntityTooLarge

from synkro.errors import AppError
from synkro.extensions import redis
from synkro.i18n import _l
from synkro.web.access import rule_of
from synkro.web.answers import ADVICE

log = logging.getLogger(__name__)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # not no-referrer: Flask-WTF compares the Referer of a form post over HTTPS
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing (RFC 9110, 9.2.1)."""

TYPED = "application/x-www-form-urlencoded"
FORMS = frozenset({"", TYPED, "multipart/form-data"})
"""What a page can send; "" comes with an empty body."""

NOTED_FOR = 60
"""Seconds: an address is written down once in this time."""
MOST_FIELDS = 200
"""Of a form. A field costs far more time than its bytes: 50,000 of them fit into half a megabyte."""


def init_app(app: Flask, *, production: bool, cors_origins: Collection[str]) -> None:
    """Before the limits: a page of somebody else must not use up those of whoever looks at it."""
    app.before_request(_refuse_what_others_send)

    @app.after_request
    def headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if (origin := request.origin) in cors_origins:  # and no Allow-Credentials: what needs a session stays closed
            response.headers["Access-Control-Allow-Origin"] = origin
        if cors_origins:
            response.vary.add("Origin")
        if production:
            response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        if request.endpoint != "static":
            # the pages of visitors too: their forms carry a token of the session
            response.headers["Cache-Control"] = "no-store"
        return response


def check_forms(app: Flask) -> None:
    """Before the tokens are checked and before the gate."""
    app.before_request(_refuse_what_is_no_form)
    app.before_request(_refuse_countless_fields)


def _refuse_what_others_send() -> None:
    """A second wall beside the token: browsers say themselves when the page that sends is not ours."""
    if not _is_address(request.referrer or ""):
        del request.environ["HTTP_REFERER"]
    site = request.headers.get("Sec-Fetch-Site", "")
    if request.method not in SAFE and site in ("cross-site", "same-site"):
        _note(site)
        raise AppError(403, "cross_site", _l("This was sent from another site, so nothing was done."))


def _note(site: str) -> None:
    """No limit counts these requests, so their number must not fill the log."""
    with suppress(RedisError):
        if redis().set(f"synkro:other-site:{request.remote_addr}", "1", nx=True, ex=NOTED_FOR):
            log.warning("sent from another site", extra={"fields": {"path": request.path, "site": site}})


def _refuse_what_is_no_form() -> None:
    """Else a form would be read as one with nothing filled in, and its defaults would be taken."""
    rule = rule_of(request.endpoint or "")
    if request.method in SAFE or rule is None or rule.limit == "webhook":
        return
    if request.mimetype not in FORMS:
        raise AppError(415, "not_a_form", ADVICE[400])


def _refuse_countless_fields() -> None:
    """Before anything takes the form apart. Werkzeug itself bounds the parts of the other kind of form only."""
    if request.mimetype == TYPED and request.get_data().count(b"&") >= MOST_FIELDS:
        raise RequestEntityTooLarge


def _is_address(referrer: str) -> bool:
    """What cannot be taken apart would break whoever looks at it later."""
    try:
        _ = urlsplit(referrer).port
    except ValueError:
        return False
    return True
