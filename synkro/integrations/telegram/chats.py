"""The chats in which somebody has sent a code to the bot, read from the updates that wait for it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from synkro.integrations.reading import words

MESSAGES = ("message", "edited_message", "channel_post")
AWAY = ("left", "kicked")
LONGEST_TITLE = 255


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a forum. name: '' where no update tells it."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """A chat in which a code was sent. type: as of Group. topics: those in which it was sent, the latest first."""

    id: int
    title: str
    type: str
    topics: tuple[Topic, ...] = ()


def chats_with(codes: Collection[str], updates: Sequence[Any]) -> list[Found]:
    """Without those that the bot has left since, under the ids that they have now; the latest first.

    codes: in upper case. Nobody else's chat: where no code was sent, a chat stays out.
    """
    seen = _Seen()
    for update in updates:
        for kind, content in update.items() if isinstance(update, dict) else ():
            if isinstance(content, dict):
                seen.take(str(kind), content, codes)
    return list(seen.found())


@dataclass(slots=True)
class _Seen:
    chats: dict[int, dict[str, Any]] = field(default_factory=dict)
    moves: dict[int, int] = field(default_factory=dict)
    status: dict[int, str] = field(default_factory=dict)
    names: dict[tuple[int, int], str] = field(default_factory=dict)
    said: dict[tuple[int, int], None] = field(default_factory=dict)
    """(chat, topic or 0) in the order of the latest code."""

    def take(self, kind: str, content: dict[str, Any], codes: Collection[str]) -> None:
        chat = _dict(content.get("chat"))
        chat_id = _number(chat.get("id"))
        if not chat_id:
            return
        if kind == "my_chat_member":
            self.chats[chat_id] = chat
            self.status[chat_id] = str(_dict(content.get("new_chat_member")).get("status"))
        elif kind in MESSAGES:
            self.chats[chat_id] = chat
            self._take_message(chat_id, content, codes)

    def _take_message(self, chat_id: int, message: dict[str, Any], codes: Collection[str]) -> None:
        if moved_to := _number(message.get("migrate_to_chat_id")):
            self.moves[chat_id] = moved_to
        topic = _number(message.get("message_thread_id")) if message.get("is_topic_message") is True else 0
        # a message in a topic answers the one that has made the topic, and that one knows its name
        made = _dict(message.get("forum_topic_created")) or _dict(
            _dict(message.get("reply_to_message")).get("forum_topic_created")
        )
        if topic and made.get("name"):
            self.names[chat_id, topic] = str(made["name"])
        if _has_code(message, codes):
            self.said.pop((chat_id, topic), None)
            self.said[chat_id, topic] = None

    def found(self) -> Iterator[Found]:
        topics: dict[int, list[Topic]] = {}
        for chat_id, topic in reversed(self.said):
            mine = topics.setdefault(self._now(chat_id), [])
            if topic:
                mine.append(Topic(topic, _short(self.names.get((chat_id, topic), ""))))
        origin = {self._now(chat_id): self.chats[chat_id] for chat_id, _ in self.said}
        for chat_id, mine in topics.items():
            if self.status.get(chat_id) not in AWAY:
                chat = self.chats.get(chat_id) or {**origin[chat_id], "type": "supergroup"}
                yield Found(chat_id, _title(chat), str(chat.get("type", "")), tuple(mine))

    def _now(self, chat_id: int) -> int:
        """The id under which a chat is reached after it has become a supergroup."""
        for _ in range(len(self.moves)):  # a circle has no end
            chat_id = self.moves.get(chat_id, chat_id)
        return chat_id


def _has_code(message: dict[str, Any], codes: Collection[str]) -> bool:
    said = message.get("text") or message.get("caption")
    return isinstance(said, str) and not codes_in(said).isdisjoint(codes)


def codes_in(text: str) -> set[str]:
    """Every word that may be a code."""
    return set(re.findall(r"[A-Z0-9]+", text.upper()))


def _title(chat: dict[str, Any]) -> str:
    """A private chat has the name of a person instead."""
    name = " ".join(str(chat[part]) for part in ("first_name", "last_name") if chat.get(part))
    return _short(str(chat.get("title") or name or chat.get("username") or ""))


def _short(text: str) -> str:
    return words(text, LONGEST_TITLE)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> int:
    return value if type(value) is int else 0
