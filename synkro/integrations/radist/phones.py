"""Where the phone of a Radist chat may stand, and its digits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from synkro.integrations.reading import inner, words

LONGEST_NUMBER = 300
"""As it is typed."""
_SOURCE = re.compile(r"\+?(?:([0-9]{11,15})|([0-9]{8,15})(?::[0-9]+)?@(?!(?:g\.us|lid|broadcast|newsletter)$).*)")
"""WhatsApp: the number before the @, save for groups, lists and hidden ids. WABA: the number alone; a shorter bare one
may be a Telegram user's id."""
_SHORTEST_PHONE, _LONGEST_PHONE = 8, 15


def phones(row: Mapping[str, Any], item: Mapping[str, Any], source: str) -> Iterator[Any]:
    """Where the number of a chat may stand: what is the chat's own comes before what its contact has."""
    yield row.get("phone")
    yield inner(row, "contact").get("phone")
    if found := _SOURCE.fullmatch(source):
        yield found[1] or found[2]
    for person in (inner(row, "contact"), item, inner(item, "contact")):
        yield person.get("phone")
        several = person.get("phones")
        for value in several if isinstance(several, list) else ():
            yield value.get("value") or value.get("phone") if isinstance(value, Mapping) else value


def digits_of(value: Any) -> str:
    """The digits of one number; "" for what is none, or several."""
    digits = "".join(str(int(char)) for char in words(value, LONGEST_NUMBER) if char.isdecimal())
    return digits if _SHORTEST_PHONE <= len(digits) <= _LONGEST_PHONE else ""
