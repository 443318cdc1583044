"""What somebody tried and was not let: refused, and written down."""

from __future__ import annotations

from contextlib import suppress

from flask import Flask, Response, request
from flask_limiter import RateLimitExceeded
from flask_login import current_user
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from synkro.analysis.text.cleaning import one_line
from synkro.blueprints.shared import probes
from synkro.errors import AppError, NotOpen
from synkro.extensions import redis
from synkro.i18n import _l
from synkro.services import audit
from synkro.services.companies import staff
from synkro.web import limits
from synkro.web.access import rule_of
from synkro.web.answers import answer

MOST_FIELDS, LONGEST_FIELD_NAME = 10, 50
NOTED_FOR = 300
"""Seconds: whoever goes on knocking at a closed limit is written down once in this time."""


def init_app(app: Flask) -> None:
    app.before_request(_nothing_to_fill_in)
    app.register_error_handler(NotOpen, refused)
    app.register_error_handler(RateLimitExceeded, _limited)


def refused(error: AppError) -> Response:
    if isinstance(error, NotOpen) and current_user.is_authenticated:
        staff.note_overstep(current_user, str(request.endpoint), "user", current_user.id)
    return answer(error.status, error.code, error.says)


def unknown_fields(known: set[str]) -> None:
    """Refuse what was sent under other names than these, and name it. What a stranger sends is not written down."""
    sent = {*request.form, *request.files} - {"csrf_token"}
    unknown = sorted(one_line(name, LONGEST_FIELD_NAME) for name in sent - known)[:MOST_FIELDS]
    if not unknown:
        return
    if current_user.is_authenticated:
        audit.note_tampering(unknown)
    says = _l("This form has no such field: %(fields)s", fields=", ".join(unknown))
    raise AppError(422, "unknown_field", says, unknown)


def _nothing_to_fill_in() -> None:
    """A view that reads no form takes no field. One that does refuses by itself: only its form knows the names."""
    rule = rule_of(request.endpoint or "")
    if request.method == "POST" and rule and not rule.form:
        unknown_fields(set())


def _limited(_error: RateLimitExceeded) -> Response:
    if told := probes.trouble():
        return told
    # without Redis nobody could tell the first refusal from the hundredth, without a database there is no audit
    with suppress(RedisError, OperationalError):
        if redis().set(f"synkro:limited:{limits.who_is_counted()}", "1", nx=True, ex=NOTED_FOR):
            audit.note_limited(limits.class_of_request())
    return limits.exceeded()
