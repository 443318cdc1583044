"""The signed cookie by which a browser is known again. It opens nothing."""

from __future__ import annotations

from flask import request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from synkro.extensions import settings
from synkro.tokens import signing_keys

LIFE = 400 * 86_400
"""Seconds: the longest that browsers keep a cookie."""


def read() -> tuple[str, list[str]]:
    """The id of this browser and the names of the accounts that have signed in on it. "" and none where it is new."""
    try:
        device, *accounts = signer().loads(request.cookies.get(name(), ""), max_age=LIFE)
    except BadSignature:
        return "", []
    return device, accounts


def signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(signing_keys(), salt="device")


def name() -> str:
    return "__Host-device" if settings().production else "device"
