"""The cookie of a person: put in at the door, renewed when the person has shown who they are, taken at the exit."""

from __future__ import annotations

from flask import request, session

from synkro.models import User
from synkro.services.auth import sessions

TOKEN = "_user_id"  # noqa: S105 (a name, not a token)
"""Where Flask-Login looks."""
EMAIL = "email"
"""Of somebody who has just chosen a password: the door fills it in."""
KEPT = ("language", "theme")
"""Of a visitor: how the pages look, nothing about who it is."""


def put(user: User) -> None:
    """After the right password. Nothing that was planted before the sign-in is left in the cookie."""
    clear()
    renew(sessions.start(user, request.remote_addr or "", request.user_agent.string))


def renew(token: str) -> None:
    session[TOKEN] = token


def clear() -> None:
    kept = {name: session[name] for name in KEPT if name in session}
    session.clear()
    session.update(kept)
