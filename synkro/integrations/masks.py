"""Phones as a preview may show them."""

from __future__ import annotations

import re

_LONG_NUMBER = re.compile(r"\+?\d(?:[\s().-]{0,3}\d){6,}")


def mask(phone: str) -> str:
    """Dots for all digits but the last two. What is no digit is left out: people type names into phone fields."""
    digits = [ch for ch in phone if ch.isdecimal()]
    if len(digits) < 5:
        return "•" * len(digits)
    return "•" * (len(digits) - 2) + "".join(digits[-2:])


def without_numbers(text: str) -> str:
    """A name in which phones are masked: deals, contacts and chats are often named by their number."""
    return _LONG_NUMBER.sub(lambda found: mask(found[0]), text)
