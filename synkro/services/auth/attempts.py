"""How often a password or a code may be tried. A try is counted before it is checked, and a right one gives it back.

A stranger is slowed down by account and address, by address, and for the account from all addresses; nothing locks an
account, and a browser that has signed in to it before has counts of its own, which a stranger cannot use up.
"""

from __future__ import annotations

import logging
import math
import unicodedata
import uuid
from dataclasses import dataclass

from flask_babel import LazyString

from synkro.errors import AppError
from synkro.i18n import _l
from synkro.infra import clock
from synkro.services.auth.attempt_counters import Window, with_counters
from synkro.tokens import keyed_hash

log = logging.getLogger(__name__)

MINUTES, HOUR, DAY = 300, 3_600, 86_400
"""Seconds."""
PAIR = ((5, MINUTES), (20, DAY))
ADDRESS = ((20, HOUR),)
IN_MINUTES = 120
"""Seconds from which a wait is told in minutes."""
ALARM = (1_000, MINUTES)
"""Of everybody together: somebody should look. It locks nobody."""


class TooManyTries(AppError):
    """seconds: until the next try. is_first: nobody was turned away by this limit in the last five minutes."""

    def __init__(self, seconds: int, *, is_first: bool) -> None:
        super().__init__(429, "too_many_attempts", _wait(seconds))
        self.seconds = seconds
        self.is_first = is_first


def _wait(seconds: int) -> LazyString:
    if seconds < IN_MINUTES:
        return _l("Too many attempts. Wait %(seconds)s seconds and try again.", seconds=str(seconds))
    return _l("Too many attempts. Wait %(minutes)s minutes and try again.", minutes=str(math.ceil(seconds / 60)))


@dataclass(frozen=True, slots=True)
class Try:
    id: str
    windows: tuple[Window, ...]
    delay: str


def name_of(email: str) -> str:
    """What stands for an account in Redis, whether the account exists or not.

    All spellings that PostgreSQL's lower() takes for one address have one name: each would be a book of tries of its
    own. That some addresses share one is harmless.
    """
    bare = "".join(one for one in unicodedata.normalize("NFKD", email.strip()) if not unicodedata.combining(one))
    return keyed_hash(bare.casefold(), "account")[:32]


def take(email: str, address: str, device: str = "") -> Try:
    """Count a try that is about to be made. device: of a browser that knows this account. Raises TooManyTries."""
    account = name_of(email)
    if device:
        mine = Try(uuid.uuid4().hex, _windows("device", keyed_hash(device, "device")[:32], account, PAIR), "")
    else:
        address_key = keyed_hash(address, "address")[:32]
        windows = _windows("pair", address_key, account, PAIR) + _windows("address", address_key, "", ADDRESS)
        mine = Try(uuid.uuid4().hex, windows, f"synkro:tries:delay:{account}")
    now = clock.now().timestamp()
    wait, is_first = with_counters(lambda book: book.take(mine.id, mine.windows, mine.delay, now))
    if wait > 0:
        raise TooManyTries(math.ceil(wait), is_first=is_first)
    _count_all(1)
    return mine


def give_back(mine: Try) -> None:
    """It was the right person: the try was none."""
    with_counters(lambda book: book.give_back(mine.id, mine.windows, mine.delay))
    _count_all(-1)


def _windows(kind: str, who: str, account: str, limits: tuple[tuple[int, int], ...]) -> tuple[Window, ...]:
    return tuple(Window(f"synkro:tries:{kind}:{who}:{account}:{span}", most, span) for most, span in limits)


def _count_all(by: int) -> None:
    most, span = ALARM
    slot = int(clock.now().timestamp() // span)
    if with_counters(lambda book: book.count(f"synkro:tries:all:{slot}", span, by)) == most and by > 0:
        log.warning("many sign-ins fail", extra={"fields": {"tries": most, "seconds": span}})
