"""The code by which a company shows that a group is its own: sent there by a person, seen there by the bot.

Made of the company, the state of its settings and the time, so it is kept nowhere. A bot may serve several companies:
only the group in which somebody has sent a company's own code is offered to it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from synkro.infra import clock
from synkro.models import IntegrationConfig
from synkro.tokens import known_hashes

LETTERS = "34679ACDEFGHJKMNPQRTUVWXY"
"""Without those that are taken for one another."""
LENGTH = 8
TURN = timedelta(minutes=10)
"""A new one is shown so often ..."""
TURNS = 4
"""... and each is taken for so many turns: at least half an hour, at most forty minutes."""


def shown(config: IntegrationConfig) -> str:
    """The one to send now. With the next save it is used up."""
    return _codes(config, clock.now())[0]


def taken(config: IntegrationConfig) -> frozenset[str]:
    """Those that may have been shown within the last half hour."""
    now = clock.now()
    return frozenset(code for turn in range(TURNS) for code in _codes(config, now - turn * TURN))


def _codes(config: IntegrationConfig, at: datetime) -> list[str]:
    """By today's key first, then by those that it took the place of."""
    turn = int(at.timestamp() // TURN.total_seconds())
    return [_spelled(found) for found in known_hashes(f"{config.tenant_id}|{config.version}|{turn}", "telegram code")]


def _spelled(found: str) -> str:
    number = int(found, 16)
    return "".join(LETTERS[number // len(LETTERS) ** digit % len(LETTERS)] for digit in range(LENGTH))
