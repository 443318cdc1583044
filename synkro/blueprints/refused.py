"""What somebody tried and was not let: refused, and written down."""

from __future__ import annotations

from contextlib import suppress

from flask import Flask, Response, request
from flask_limiter import RateLimitExceeded
from flask_login import current_user
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from synkro import limits
from synkro.errors import AppError, NotOpen, answer
from synkro.extensions import redis
from synkro.services import audit
from synkro.services.companies import staff

NOTED_FOR = 300
"""Seconds: whoever goes on knocking at a closed limit is written down once in this time."""


def init_app(app: Flask) -> None:
    app.register_error_handler(NotOpen, refused)
    app.register_error_handler(RateLimitExceeded, _limited)


def refused(error: AppError) -> Response:
    if isinstance(error, NotOpen) and current_user.is_authenticated:
        staff.note_overstep(current_user, str(request.endpoint), "user", current_user.id)
    return answer(error.status, error.code, error.says)


def _limited(_error: RateLimitExceeded) -> Response:
    # without Redis nobody could tell the first refusal from the hundredth, without a database there is no audit
    with suppress(RedisError, OperationalError):
        if redis().set(f"synkro:limited:{limits.who_is_counted()}", "1", nx=True, ex=NOTED_FOR):
            audit.note_limited(limits.class_of_request())
    return limits.exceeded()
