"""Who looks at pages: a person of the cast, and how far in."""

from __future__ import annotations

from synkro.models import CurrentSession, User
from synkro.services.auth import sessions
from tests.support import factor

VISITORS: dict[str, tuple[str, str]] = {
    "user": ("user", ""),
    "settings": ("settings", ""),
    "guarded": ("user", "has one, shown"),
    "asked": ("user", "has one"),
    "new staff": ("admin", ""),
    "admin": ("admin", "shown"),
    "lite": ("lite", "shown"),
}
"""Who of the cast, and how things stand with the second factor."""


def token_of(who: str, cast: dict[str, User]) -> str:
    """Of a new session. "" for a visitor."""
    if who not in VISITORS:
        return ""
    name, standing = VISITORS[who]
    if "has one" in standing:
        factor.enrolled(cast[name])
    token = sessions.start(cast[name], "192.0.2.1", "test")
    if "shown" in standing:
        row = sessions.of(cast[name].id)[0]
        token = sessions.confirm(CurrentSession(row.id, "", row.confirmed_at, None), factor=True)
    return token
