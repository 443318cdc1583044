"""Which accounts have signed in on a browser, as its long-lived cookie says."""

from __future__ import annotations

from werkzeug.wrappers import Response

from synkro.extensions import settings
from synkro.tokens import known_hashes, new_token
from synkro.web import device_cookie

MOST_ACCOUNTS = 5


def known(email: str) -> str:
    """The id of this browser where the account has signed in on it, else ""."""
    device, accounts = device_cookie.read()
    return device if set(accounts).intersection(_names_of(email)) else ""


def remember(response: Response, email: str) -> None:
    """The account has signed in on this browser. The least recent one is forgotten when there are too many."""
    device, accounts = device_cookie.read()
    names = _names_of(email)
    kept = [names[0], *(other for other in accounts if other not in names)][:MOST_ACCOUNTS]
    response.set_cookie(
        device_cookie.name(),
        device_cookie.signer().dumps([device or new_token(), *kept]),
        max_age=device_cookie.LIFE,
        secure=settings().production,
        httponly=True,
        samesite="Lax",
    )


def _names_of(email: str) -> list[str]:
    """Of this address alone. A book of tries is shared by similar ones, whose owners are strangers to each other."""
    return [name[:32] for name in known_hashes(email.strip().lower(), "account")]
