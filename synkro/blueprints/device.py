"""The long-lived cookie of a browser: which accounts have signed in on it. It opens nothing."""

from __future__ import annotations

from flask import request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from synkro.extensions import settings
from synkro.services.entry import attempts
from synkro.tokens import new_token

LIFE = 400 * 86_400
"""Seconds: the longest that browsers keep a cookie."""
MOST_ACCOUNTS = 5


def known(email: str) -> str:
    """The id of this browser where the account has signed in on it, else ""."""
    device, accounts = _read()
    return device if attempts.name_of(email) in accounts else ""


def remember(response: Response, email: str) -> None:
    """The account has signed in on this browser. The least recent one is forgotten when there are too many."""
    device, accounts = _read()
    account = attempts.name_of(email)
    kept = [account, *(other for other in accounts if other != account)][:MOST_ACCOUNTS]
    response.set_cookie(
        _name(),
        _seal().dumps([device or new_token(), *kept]),
        max_age=LIFE,
        secure=settings().production,
        httponly=True,
        samesite="Lax",
    )


def _read() -> tuple[str, list[str]]:
    try:
        device, *accounts = _seal().loads(request.cookies.get(_name(), ""), max_age=LIFE)
    except BadSignature:
        return "", []
    return device, accounts


def _seal() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret_key, salt="device")


def _name() -> str:
    return "__Host-device" if settings().production else "device"
