"""How often a code of the second factor may be tried: counted before it is checked, given back when it was right."""

from __future__ import annotations

import math
import uuid

from synkro.infra import clock
from synkro.services.auth.attempt_counters import Window, with_counters
from synkro.services.auth.attempts import DAY, HOUR, MINUTES, TooManyTries
from synkro.tokens import keyed_hash

LIMITS = ((5, MINUTES), (20, HOUR), (50, DAY))
"""Of a million codes three are right at a time: 50 wrong ones a day find one in ten after two years of trying."""


def take(user_id: uuid.UUID, device: str) -> str:
    """Count a try that is about to be made: its name, for give_back. Raises TooManyTries.

    device: of a browser that has come all the way in before, "" for any other. It has counts of its own: who knows the
    password alone cannot use up the owner's.
    """
    name, now = uuid.uuid4().hex, clock.now().timestamp()
    wait, is_first = with_counters(lambda book: book.take(name, _windows(user_id, device), "", now))
    if wait > 0:
        raise TooManyTries(math.ceil(wait), is_first=is_first)
    return name


def give_back(user_id: uuid.UUID, device: str, name: str) -> None:
    with_counters(lambda book: book.give_back(name, _windows(user_id, device), ""))


def _windows(user_id: uuid.UUID, device: str) -> tuple[Window, ...]:
    browser = keyed_hash(device, "device")[:32] if device else ""
    return tuple(Window(f"synkro:tries:code:{user_id}:{browser}:{span}", most, span) for most, span in LIMITS)
