"""amoCRM's house rules: where accounts live, how fast one may ask, what its refusals mean."""

from __future__ import annotations

import re
from typing import NamedTuple

from synkro.integrations.base import retry_after
from synkro.integrations.errors import ApiError, Busy, Gone, Refused, Unpaid, Unreachable
from synkro.integrations.http.calls import HttpAnswer, Pace, common_failure
from synkro.integrations.reading import number

ZONES = ("amocrm.ru", "amocrm.com", "kommo.com")
PER_SECOND = 6
"""The vendor blocks above 7 a second: in Russia for an account, at Kommo for an address. We stay one below."""
PACES = ("account", "egress")
WAIT_SECONDS = 60
LONGEST_WAIT_SECONDS = 3_600
BLOCKED_SECONDS = 900
"""How long a blocked account is left alone before somebody may look whether the block was lifted."""

_HOST = r"([a-z0-9][a-z0-9-]{0,62})\.(amocrm\.ru|amocrm\.com|kommo\.com)"
_TYPED = re.compile(rf"(?:https?://)?(?:{_HOST}|([a-z0-9][a-z0-9-]{{0,62}}))(?:[/?#].*)?")


class TooMuch(Unreachable):
    """504: the vendor could not put so much together in one answer."""


class Address(NamedTuple):
    """Where an account lives: `{subdomain}.{zone}`."""

    subdomain: str
    zone: str

    @property
    def host(self) -> str:
        return f"{self.subdomain}.{self.zone}"


def account_address(typed: str, zone: str = "") -> Address:
    """From `demo`, `demo.amocrm.ru` or a page's URL; a zone that was typed wins over the chosen one.

    Raises Refused("amocrm_bad_address") for anything else, so that no token can be sent to a foreign host.
    """
    found = _TYPED.fullmatch(typed.strip().lower())
    subdomain, told, bare = found.groups() if found else (None, None, None)
    address = Address(subdomain or bare or "", told or zone or ZONES[0])
    if not is_vendor(address.host) or address.subdomain == "www":
        raise Refused("amocrm_bad_address")
    return address


def is_vendor(host: str) -> bool:
    """Whether the host is one of the vendor's own."""
    return re.fullmatch(_HOST, host) is not None


def paces_of(address: Address) -> dict[str, Pace]:
    """The limits that calls to an account count against. All clients of Kommo share our own address's limit."""
    paces = {"account": Pace(f"amocrm:{address.host}", PER_SECOND)}
    if address.zone == "kommo.com":
        paces["egress"] = Pace("amocrm:kommo.com", PER_SECOND)
    return paces


def check_answer(answer: HttpAnswer) -> ApiError | None:
    """403 as JSON is about rights; as a page it is a block that only the vendor's support lifts."""
    match answer.status:
        case 401:
            return Refused("amocrm_reconnect")
        case 402:
            return Unpaid("amocrm_unpaid")
        case 403:
            if isinstance(answer.json_or_none(), dict):
                return Refused("amocrm_no_rights")
            return Refused("amocrm_blocked", retry_after=BLOCKED_SECONDS)
        case 404:
            return Gone("amocrm_not_found")
        case 400 | 405 | 422:
            return Gone("amocrm_rejected")
        case 429:
            return Busy("busy", service=answer.service, retry_after=_pause(answer))
        case 504:
            return TooMuch("amocrm_too_much", service=answer.service)
    return common_failure(answer)


def _pause(answer: HttpAnswer) -> float:
    """Seconds from the body, else the header, else a minute: going on after a 429 gets the whole account blocked."""
    body = answer.json_or_none()
    told = number(body.get("retry_after")) if isinstance(body, dict) else None
    return min(max(told or retry_after(answer) or WAIT_SECONDS, 1), LONGEST_WAIT_SECONDS)
