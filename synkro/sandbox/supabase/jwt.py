"""JSON web tokens of the practice project: the legacy API keys and what PostgREST says about a bad one."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import Any

from synkro.sandbox.keys import Keys
from synkro.sandbox.supabase.errors import PgError

_ISSUED, _EXPIRES = 1_760_000_000, 2_075_576_000


def jwt_secret(keys: Keys) -> str:
    """At least 32 characters, as PostgREST demands."""
    return f"practice-only-jwt-secret-of-{keys.supabase_ref}"


def legacy_key(keys: Keys, role: str, *, expires: int = _EXPIRES) -> str:
    """The JWT that older projects have for a key. role: anon or service_role. expires: unix seconds."""
    claims = {"iss": "supabase", "ref": keys.supabase_ref, "role": role, "iat": _ISSUED, "exp": expires}
    unsigned = f"{_pack({'alg': 'HS256', 'typ': 'JWT'})}.{_pack(claims)}"
    return f"{unsigned}.{_signature(unsigned, keys)}"


def role_of(token: str, keys: Keys) -> str:
    """The role that a bearer token claims. Raises PGRST301 for a bad token, PGRST303 for one out of date."""
    parts = token.split(".")
    if len(parts) != 3:
        raise PgError(401, "PGRST301", f"Expected 3 parts in JWT; got {len(parts)}")
    if not hmac.compare_digest(_signature(f"{parts[0]}.{parts[1]}", keys), parts[2]):
        details = "None of the keys was able to decode the JWT"
        raise PgError(401, "PGRST301", "No suitable key or wrong key type", details=details)
    claims = _unpack(parts[1])
    if claims.get("exp", 0) < time.time():
        raise PgError(401, "PGRST303", "JWT expired")
    return str(claims.get("role", "anon"))


def _pack(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _unpack(part: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error):
        raise PgError(401, "PGRST301", "Not valid base64url") from None
    return claims


def _signature(unsigned: str, keys: Keys) -> str:
    return _base64(hmac.digest(jwt_secret(keys).encode(), unsigned.encode(), hashlib.sha256))


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
