"""A dialog as the AI may see it: cleaned, masked, one line a message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from synkro.analysis.text.cleaning import one_line
from synkro.analysis.text.masking import PLACEHOLDER, Masker
from synkro.infra.records import Message

Speaker = Literal["client", "manager"]

LINE_LIMIT = 2_000
NAME_LIMIT = 120
_BRACKETS = str.maketrans("[]{}<>［］【】〔〕⟦⟧〚〛", "()()()()()()()()")


@dataclass(frozen=True, slots=True)
class Line:
    """One message. at: local time. text: safe to place into a prompt."""

    message_id: str
    at: datetime
    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Dialog:
    """One chat. manager and stage are those of the deal that owns it."""

    chat_id: int
    manager: str
    stage: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Turns messages into dialogs for one run: its zone and its masker."""

    zone: ZoneInfo
    masker: Masker

    def dialog(
        self, chat_id: int, manager: str, stage: str, messages: Iterable[Message], client_names: Iterable[str] = ()
    ) -> Dialog:
        """messages: those of the window, in order. client_names: how the CRM and the messenger call the client."""
        names = tuple(client_names)
        lines = tuple(self._line(message, names) for message in messages)
        return Dialog(chat_id, safe(manager, NAME_LIMIT), safe(stage, NAME_LIMIT), lines)

    def _line(self, message: Message, names: tuple[str, ...]) -> Line:
        speaker: Speaker = "client" if message.direction == "in" else "manager"
        text = self.masker.mask(one_line(message.text, LINE_LIMIT), names)
        shown = neutral(text) or f"({safe(message.kind, 40) or 'empty'})"
        return Line(message.id, message.at.astimezone(self.zone), speaker, shown)


def safe(text: str, limit: int) -> str:
    """A stranger's short text on one line, unable to look like a part of the prompt."""
    return neutral(one_line(text, limit))


def neutral(text: str) -> str:
    """Brackets become round, so that nothing can pose as a message's ref. Our own placeholders stay."""
    kept = PLACEHOLDER.findall(text)
    parts = [part.translate(_BRACKETS) for part in PLACEHOLDER.split(text)]
    return "".join(part + mark for part, mark in zip(parts, [*kept, ""], strict=True))
