"""Tokens that open something, and what is stored of them: a hash that is useless without the key of the program."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from synkro.extensions import settings

BYTES = 32


def new_token() -> str:
    """256 random bits, fit for a cookie or an address."""
    return secrets.token_urlsafe(BYTES)


def keyed_hash(token: str, purpose: str) -> str:
    """64 hexadecimal characters. A token of one purpose is no token of another."""
    return hmac.new(settings().secret_key.encode(), f"{purpose}|{token}".encode(), hashlib.sha256).hexdigest()
