"""What the words of the audit mean, for people: the words of all rooms, and who acts."""

from __future__ import annotations

from typing import Any

from synkro.i18n import _l
from synkro.services.audit import audit_words as audit
from synkro.services.auth import audit_words as auth
from synkro.services.companies import audit_words as companies
from synkro.services.connections import audit_words as connections
from synkro.services.operations import audit_words as operations
from synkro.services.reports import audit_words as reports

ROOMS = (audit, auth, companies, connections, operations, reports)
"""Each room of the services has the words for what it records."""
ACTS = {act: words for room in ROOMS for act, words in room.ACTS.items()}
THINGS = {thing: words for room in ROOMS for thing, words in room.THINGS.items()}

ACTORS = {
    "command line": _l("Command line"),
    "schedule": _l("Schedule"),
    "unknown": _l("Unknown"),
    "worker": _l("Synkro itself"),
}
"""Who acts without being a person."""


def act_words(act: str) -> str:
    return str(ACTS.get(act, act))


def thing_words(thing: str) -> str:
    return str(THINGS.get(thing, thing))


def actor_words(actor: str) -> str:
    return str(ACTORS.get(actor, actor))


def details_words(details: dict[str, Any]) -> str:
    """ "step: analyse; code: busy": names and counts as they were written."""
    return "; ".join(f"{name}: {_value(value)}" for name, value in details.items())


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
