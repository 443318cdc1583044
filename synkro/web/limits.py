"""How often one person, address or company may ask. Every route belongs to a class: see Rule.limit."""

from __future__ import annotations

import time
from contextlib import suppress

from flask import Flask, Response, request
from flask_limiter import ApplicationLimit, Limiter
from flask_login import current_user
from redis.exceptions import RedisError

from synkro.i18n import _l
from synkro.tokens import keyed_hash
from synkro.web import device_cookie
from synkro.web.access import current_session, rule_of
from synkro.web.answers import answer

PER_MINUTE = {"api": 100, "auth": 5, "webhook": 50, "ai": 20, "poll": 120, "probe": 600, "static": 2_000}
"""For a person; for a visitor, for files and for monitors, by address. A page that renews itself asks 30 times a
minute."""
BY_ADDRESS = frozenset({"probe", "static"})
AI_OF_A_COMPANY = 60
NO_GUESS = frozenset({400, 403, 413, 415, 422})
"""Answers to what was turned away before anything that was typed was looked at, and to a form with a gap."""


def class_of_request() -> str:
    """A key of PER_MINUTE."""
    rule = rule_of(request.endpoint or "")
    if rule is None or (rule.limit == "auth" and request.method != "POST"):
        return "api"  # to look at the door is no attempt to open it
    return rule.limit


def who_is_counted() -> str:
    """ "<class>|<id of a person, or what stands for a known browser, or an address>"."""
    return f"{class_of_request()}|{_who()}"


def _who() -> str:
    # open to all: to look the reader of a file up would cost more than the file
    if class_of_request() in BY_ADDRESS:
        return str(request.remote_addr)
    if current_session():
        return str(current_user.id)
    device, _ = device_cookie.read()
    # what others at the same address use up does not shut out whoever has signed in here before
    return keyed_hash(device, "device")[:32] if device else str(request.remote_addr)


def _failed(response: Response) -> bool:
    """What went well leads on: an office, which shares one address, would have few of these."""
    return response.status_code // 100 != 3 and response.status_code not in NO_GUESS


def _did_not_fail(response: Response) -> bool:
    return not _failed(response)


def _is_auth() -> bool:
    return class_of_request() == "auth"


limiter = Limiter(
    key_func=who_is_counted,
    # with the endpoint for a name, Flask-Limiter lets pass what has none (404) and whatever ends in "static"
    request_identifier=lambda: f"class:{class_of_request()}",
    # Redis may go away between the question and the count: that one request goes uncounted instead of failing
    swallow_errors=True,
    application_limits=[
        ApplicationLimit(lambda: f"{PER_MINUTE[class_of_request()]} per minute", exempt_when=_is_auth),
        ApplicationLimit(
            lambda: f"{PER_MINUTE['auth']} per minute",
            exempt_when=lambda: not _is_auth(),
            deduct_when=_failed,
            scope="auth",
        ),
        ApplicationLimit(
            lambda: f"{PER_MINUTE['api']} per minute",
            key_function=lambda: f"api|{_who()}",
            exempt_when=lambda: not _is_auth(),
            deduct_when=_did_not_fail,
        ),
        ApplicationLimit(
            lambda: f"{AI_OF_A_COMPANY} per minute",
            key_function=lambda: f"company|{current_user.tenant_id}",
            exempt_when=lambda: class_of_request() != "ai" or not current_user.is_authenticated,
            scope="company",
        ),
    ],
)


def init_app(app: Flask) -> None:
    """After the person is known, before the gate: who is turned away is counted, too."""

    @app.after_request
    def tell(response: Response) -> Response:
        """Registered first, so run last: after the limiter has counted a failed sign-in."""
        with suppress(RedisError):
            if limit := limiter.current_limit:
                response.headers["X-RateLimit-Limit"] = str(limit.limit.amount)
                response.headers["X-RateLimit-Remaining"] = str(max(limit.remaining, 0))
                response.headers["X-RateLimit-Reset"] = str(limit.reset_at)
        return response

    limiter.init_app(app)


def exceeded() -> Response:
    """The answer to RateLimitExceeded."""
    seconds = _seconds_left()
    says = _l("Too many requests. Wait %(seconds)s seconds and try again.", seconds=str(seconds))
    response = answer(429, "too_many_requests", says, retry_after=seconds)
    response.headers["Retry-After"] = str(seconds)
    return response


def _seconds_left() -> int:
    """Until one more request is taken: 1 to 60, whatever the clocks of two machines say."""
    with suppress(RedisError):
        if limit := limiter.current_limit:
            return min(max(int(limit.reset_at - time.time()) + 1, 1), 60)
    return 60
