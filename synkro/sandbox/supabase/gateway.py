"""The gateway in front of PostgREST: which API key may pass, as which role, and what it says when none may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synkro.sandbox.keys import Keys
from synkro.sandbox.supabase.jwt import legacy_key, role_of

AUTH_HEALTH = {
    "version": "v2.197.0",
    "name": "GoTrue",
    "description": "GoTrue is a user registration and authentication API",
}
AUTH_SETTINGS: dict[str, Any] = {
    "external": {"email": True, "phone": False, "anonymous_users": False},
    "disable_signup": False,
    "mailer_autoconfirm": False,
    "phone_autoconfirm": False,
    "sms_provider": "twilio",
    "saml_enabled": False,
}
LONGEST_HEAD = 16 * 1024
"""Bytes of URL and headers; a longer request gets a bare 520 from the edge."""

_DOUBLE_CHECK = "Double check your Supabase `anon` or `service_role` API key."
_MUTATIONS = ("PATCH", "DELETE")
_PAGING = {"select", "order", "limit", "offset", "columns", "on_conflict", "apikey"}


class Stopped(Exception):
    """The gateway's 401. Its body has no `code`: that tells it from an answer of PostgREST."""

    def __init__(self, message: str, hint: str | None) -> None:
        super().__init__(message)
        self.body = {"message": message, **({"hint": hint} if hint else {})}


def check_key(key: str, agent: str, keys: Keys) -> None:
    """Raises Stopped unless the key is one of the project's four."""
    if not key:
        raise Stopped("No API key found in request", "No `apikey` request header or url param was found.")
    if key == keys.supabase_secret_key and "Mozilla/" in agent:
        raise Stopped("Forbidden use of secret API key in browser", None)
    if key not in _roles(keys):
        raise Stopped("Unregistered API key" if key.startswith("sb_") else "Invalid API key", _DOUBLE_CHECK)


def role_for(key: str, authorization: str, keys: Keys) -> str:
    """The role a request runs as; the key has passed. Raises PgError for a bad bearer token."""
    token = authorization.removeprefix("Bearer ")
    if token and token != key:
        return role_of(token, keys)
    # A legacy key alone names no role to PostgREST: it is the bearer token that does.
    return _roles(keys)[key] if token or key.startswith("sb_") else "anon"


def check_root(key: str, keys: Keys) -> None:
    """Raises Stopped unless the key may read the description of the whole API."""
    if _roles(keys)[key] == "service_role":
        return
    if key.startswith("sb_"):
        raise Stopped("Secret API key required", "Only secret API keys can be used for this endpoint.")
    raise Stopped("Invalid API key", "Only the `service_role` API key can be used for this endpoint.")


def needs_filter(method: str, args: Mapping[str, str]) -> bool:
    """Hosted databases load safeupdate: a change of all rows at once is refused."""
    return method in _MUTATIONS and not set(args) - _PAGING


def _roles(keys: Keys) -> dict[str, str]:
    return {
        keys.supabase_publishable_key: "anon",
        keys.supabase_secret_key: "service_role",
        legacy_key(keys, "anon"): "anon",
        legacy_key(keys, "service_role"): "service_role",
    }
