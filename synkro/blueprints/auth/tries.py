"""A password or a code is typed in: counted before it is looked at, given back when it was right."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import make_response, request
from werkzeug.wrappers import Response

from synkro.blueprints.auth import device
from synkro.services.auth import accounts, attempts
from synkro.services.auth.attempts import TooManyTries

REFUSED = 401

Found = TypeVar("Found")


def counted(email: str, check: Callable[[], Found]) -> Found:
    """What check finds; a falsy answer counts as a try. Raises TooManyTries without asking it."""
    try:
        mine = attempts.take(email, request.remote_addr or "", device.known(email))
    except TooManyTries as refusal:
        if refusal.is_first:
            accounts.note_limited(email)
        raise
    if found := check():
        attempts.give_back(mine)
    return found


def later(page: str, refusal: TooManyTries) -> Response:
    """The form once more, with the time to wait."""
    response = make_response(page, refusal.status)
    response.headers["Retry-After"] = str(refusal.seconds)
    return response
