"""Failures as answers: one shape for programs, one page for people, never a trace."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_babel import LazyString
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import BadHost, HTTPException

from synkro.errors import NEEDS_ACCESS, AppError
from synkro.extensions import login
from synkro.i18n import _l
from synkro.infra.log import request_id

log = logging.getLogger(__name__)

TITLES: dict[int, LazyString] = {
    400: _l("The request could not be understood"),
    401: _l("Sign in to Synkro"),
    403: _l("This page is not open to you"),
    404: _l("There is no such page"),
    405: _l("This cannot be done here"),
    409: _l("This is not possible right now"),
    413: _l("Too much was sent at once"),
    415: _l("The request could not be understood"),
    422: _l("Something was filled in wrongly"),
    429: _l("Too many attempts"),
    500: _l("Something broke on our side"),
    503: _l("Not available right now"),
}
ADVICE: dict[int, LazyString] = {
    400: _l("Go back, reload the page and try again."),
    401: _l("Your session has ended or you have not signed in yet."),
    403: NEEDS_ACCESS,
    404: _l("It may have been moved, or the address has a mistake."),
    429: _l("Wait a minute and try again."),
    500: _l("It was written down. Tell us the number below if it happens again."),
}


def wants_json() -> bool:
    best = request.accept_mimetypes.best_match(("text/html", "application/json"), default="text/html")
    return request.is_json or best == "application/json"


def answer(status: int, code: str, says: LazyString | str | None = None, **more: Any) -> Response:
    """The one shape of a failure: {error, code} and more for programs, a page with a request number for people."""
    title = TITLES.get(status) or TITLES[500 if status >= 500 else 400]
    says = says or ADVICE.get(status, "")
    if wants_json():
        return make_response(jsonify(error=str(says or title), code=code, **more), status)
    page = render_template("shared/error.html", code=status, title=title, text=says, request_id=request_id())
    return make_response(page, status)


def init_app(app: Flask) -> None:
    @app.errorhandler(AppError)
    def known(error: AppError) -> Response:
        named: dict[str, Any] = {"fields": error.fields} if error.fields else {}
        return answer(error.status, error.code, error.says, **named)

    @app.errorhandler(BadHost)
    def no_such_host(_error: BadHost) -> Response:
        # no page: without a host no address of a style sheet can be built
        return make_response(jsonify(error=str(TITLES[400]), code="bad_host"), 400)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        response = answer(status, (error.name or "error").lower().replace(" ", "_"))
        if status == 405 and (allowed := getattr(error, "valid_methods", None)):
            response.headers["Allow"] = ", ".join(allowed)
        return response

    @app.errorhandler(OperationalError)
    def away(error: OperationalError) -> Response:
        log.error("database away", exc_info=error)
        # shown as to a visitor: who reads the page cannot be looked up now
        g._login_user = login.anonymous_user()  # noqa: SLF001 (Flask-Login has no other way)
        return answer(503, "database_away")

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> Response:
        log.error("unhandled", exc_info=error)
        return answer(500, "internal")
