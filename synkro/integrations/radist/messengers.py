"""The messengers that are connected in Radist: which of them are read, and which the tenant has chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synkro.i18n import _l
from synkro.infra.records import Chat
from synkro.integrations.base import Check, Offer, Stands
from synkro.integrations.masks import without_numbers
from synkro.integrations.reading import number, words

LONGEST_NAME = 200
LONGEST_KIND = 40
NAMES = {
    "whatsapp": "WhatsApp",
    "waba": "WhatsApp Business (WABA)",
    "telegram": "Telegram",
    "telegram_bot": "Telegram Bot",
    "max_personal": "MAX",
    "amocrm": "amoCRM",
    "bitrix": "Bitrix24",
}
"""How people know the vendor's types; any other is shown as the vendor spells it."""


@dataclass(frozen=True, slots=True)
class Messenger:
    """A connection of a company."""

    id: int
    kind: str
    name: str

    @property
    def is_read(self) -> bool:
        # the vendor's spellings of Telegram's several types are not documented, only how they begin
        return self.kind in ("whatsapp", "waba") or self.kind.startswith("telegram")

    @property
    def offer(self) -> Offer:
        kind = NAMES.get(self.kind, self.kind)
        note = kind if self.is_read else str(_l("%(messenger)s, not read by Synkro", messenger=kind or "?"))
        # companies name a connection by its number
        return Offer(str(self.id), without_numbers(self.name) or f"#{self.id}", note)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is connected, and which of it the tenant wants. chosen: ids as saved; none means every messenger we read."""

    connected: tuple[Messenger, ...]
    chosen: frozenset[str]

    @classmethod
    def of(cls, connected: Sequence[Messenger], saved: str) -> Choice:
        """saved: ids with commas between."""
        return cls(tuple(connected), frozenset(split_ids(saved)))

    @property
    def gone(self) -> int:
        """How many of the chosen ones are connected no more."""
        return len(self.chosen - {str(messenger.id) for messenger in self.connected})

    def reads(self, chat: Chat) -> bool:
        """A chat of a connection that is not listed is read, unless others were chosen: its type is not known."""
        if chat.connection_id in {messenger.id for messenger in self.connected if not messenger.is_read}:
            return False
        return not self.chosen or str(chat.connection_id) in self.chosen

    def remark(self) -> Check | None:
        """What a person should know of the choice; None where there is nothing."""
        is_one_read = any(one.is_read for one in self.connected if str(one.id) in self.chosen)
        if self.gone:
            stands: Stands = "" if is_one_read else "choice"
            return Check("yellow", "radist_connection_gone", {"connections": self.gone}, stands)
        if self.chosen and not is_one_read:
            return Check("yellow", "radist_choice_unread", stands="choice")
        return None


def split_ids(saved: str) -> list[str]:
    return [part.strip() for part in saved.split(",") if part.strip()]


def messenger_of(row: Mapping[str, Any]) -> Messenger | None:
    """None for a row without an id."""
    identity = number(row.get("connection_id"))
    identity = number(row.get("id")) if identity is None else identity
    if identity is None:
        return None
    kind = words(row.get("type"), LONGEST_KIND).lower().replace(" ", "_")
    return Messenger(identity, kind, words(row.get("name"), LONGEST_NAME))
