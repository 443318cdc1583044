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
    return _hash(settings().secret_key, token, purpose)


def known_hashes(token: str, purpose: str) -> list[str]:
    """What may be stored of a token: by today's key first, then by those that it took the place of."""
    return [_hash(key, token, purpose) for key in (settings().secret_key, *settings().secret_keys_old)]


def signing_keys() -> list[str]:
    """As itsdangerous wants them: the last one signs, all are taken."""
    return [*settings().secret_keys_old, settings().secret_key]


def _hash(key: str, token: str, purpose: str) -> str:
    return hmac.new(key.encode(), f"{purpose}|{token}".encode(), hashlib.sha256).hexdigest()
