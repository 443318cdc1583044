"""Phones as a preview may show them."""

from __future__ import annotations

import re

from synkro.analysis.matching.phones import masked

_LONG_NUMBER = re.compile(r"\+?\d(?:[\s().-]{0,3}\d){6,}")


def without_numbers(text: str) -> str:
    """A name in which phones are masked: deals, contacts and chats are often named by their number."""
    return _LONG_NUMBER.sub(lambda found: masked(found[0]), text)
