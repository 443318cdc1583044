"""A text on its way into a message: its mode, its limits, the spaces around it."""

from __future__ import annotations

import re

from synkro.sandbox.telegram.chats import TelegramError
from synkro.sandbox.telegram.html import Entity, ParseError, parse, utf16

MOST_TEXT, MOST_CAPTION = 4096, 1024
"""Code points after parsing."""

_MOST_RAW = 32_768
"""Bytes before parsing."""


def formatted(text: str, parse_mode: str, most: int, what: str) -> tuple[str, list[Entity]]:
    """The visible text, stripped, with its entities. Raises TelegramError 400."""
    if not text:
        raise TelegramError(400, "Bad Request: message text is empty")
    if re.search(r"[\ud800-\udfff]", text):
        raise TelegramError(400, "Bad Request: strings must be encoded in UTF-8")
    if len(text.encode()) > _MOST_RAW:
        raise TelegramError(400, "Bad Request: text is too long")
    mode = parse_mode.lower()
    if mode not in {"", "html"}:
        known = mode in {"markdown", "markdownv2"}
        reason = "the stand-in knows HTML only" if known else "unsupported parse_mode"
        raise TelegramError(501 if known else 400, f"Bad Request: {reason}")
    try:
        plain, entities = parse(text) if mode else (text, [])
    except ParseError as problem:
        raise TelegramError(400, f"Bad Request: can't parse entities: {problem}") from None
    shown = plain.strip()
    if not shown:
        raise TelegramError(400, "Bad Request: text must be non-empty")
    if len(shown) > most:
        raise TelegramError(400, f"Bad Request: {what} is too long")
    return shown, _shifted(entities, utf16(plain[: len(plain) - len(plain.lstrip())]), utf16(shown))


def _shifted(entities: list[Entity], cut: int, length: int) -> list[Entity]:
    """Entities after the spaces around the text are gone."""
    kept = []
    for one in entities:
        start, end = max(0, one["offset"] - cut), min(length, one["offset"] - cut + one["length"])
        if end > start:
            kept.append({**one, "offset": start, "length": end - start})
    return kept
