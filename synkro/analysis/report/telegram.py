"""Lines into messages of Telegram's HTML: escaped here, split between tags, under the limit."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Tag = Literal["", "b", "i"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of plain text in one style. href: makes the line a link; such a line is never split."""

    text: str
    tag: Tag = ""
    href: str = ""


def units(text: str) -> int:
    """Length in UTF-16 units, as Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(rows: Iterable[Row], limit: int) -> list[str]:
    """Parts of at most `limit` units of HTML each. Rows stay whole unless one alone is over the limit."""
    parts: list[str] = []
    current = ""
    for piece in _rendered(rows, limit):
        joined = f"{current}\n{piece}" if current else piece
        if units(joined) <= limit:
            current = joined
            continue
        parts.append(current)
        current = piece
    parts.append(current)
    return [part for part in (part.strip("\n") for part in parts) if part.strip()]


def _rendered(rows: Iterable[Row], limit: int) -> Iterator[str]:
    for row in rows:
        if row.href:
            yield f'<a href="{html.escape(row.href)}">{_escape(row.text)}</a>'
            continue
        room = limit - units(_wrap("", row.tag))
        yield from (_wrap(_escape(piece), row.tag) for piece in _pieces(row.text, room))


def _pieces(text: str, room: int) -> Iterator[str]:
    """Cuts a long line after a space where there is one in the last half of the room."""
    while units(_escape(text)) > room:
        cut = _longest_prefix(text, room)
        space = text.rfind(" ", cut // 2, cut)
        cut = space + 1 if space > 0 else cut
        yield text[:cut].rstrip(" ")
        text = text[cut:].lstrip(" ")
    yield text


def _longest_prefix(text: str, room: int) -> int:
    """How many characters fit once escaped; at least one, so that a cut always moves on."""
    used = 0
    for index, char in enumerate(text):
        used += units(_escape(char))
        if used > room:
            return max(index, 1)
    return len(text)


def _escape(text: str) -> str:
    return html.escape(text, quote=False)


def _wrap(text: str, tag: Tag) -> str:
    return f"<{tag}>{text}</{tag}>" if tag else text
