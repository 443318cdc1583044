"""The queue of updates of a bot that was just added to a group and greeted in one of its topics."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

from synkro.sandbox.telegram.chats import Chat

TOPIC = 17
"""The forum's topic in which people write."""

_PERSON = {"id": 800000001, "is_bot": False, "first_name": "Айгерим", "language_code": "ru"}
_NAMES = {TOPIC: "Продажи"}


class Updates:
    """Kept until an offset confirms them. me: the bot as a User. number: of the greeting in the chat."""

    def __init__(self, chat: Chat, me: dict[str, Any], number: int) -> None:
        self._me = me
        self._queue: list[dict[str, Any]] = []
        self._numbers = itertools.count(900000001)
        self._lock = threading.Lock()
        self.placed(chat, "member", before="left")
        self.hear(chat, f"/start@{me['username']}", number, TOPIC)

    def hear(self, chat: Chat, text: str, number: int, topic: int = 0) -> None:
        """A person writes to the chat under this message number. topic: 0 for the general one and where there are none.

        A bot in privacy mode gets commands only, and its own name in them if there is one has to be its own.
        """
        command, _, named = text.partition(" ")[0].partition("@")
        if chat.kind in ("group", "supergroup") and (not command.startswith("/") or named not in ("", self._username)):
            return
        self._push("channel_post" if chat.kind == "channel" else "message", chat, _message(number, topic, text=text))

    def placed(self, chat: Chat, status: str, before: str = "member") -> None:
        """The bot's place in a chat has changed: member, left, kicked."""
        statuses = {"old_chat_member": before, "new_chat_member": status}
        changed = {name: {"user": self._me, "status": one} for name, one in statuses.items()}
        self._push("my_chat_member", chat, {"from": _PERSON, **changed})

    def moved(self, chat: Chat, new: Chat, number: int) -> None:
        """The group has become a supergroup: both say so."""
        self._push("message", chat, _message(number, 0, migrate_to_chat_id=new.id))
        self._push("message", new, _message(1, 0, migrate_from_chat_id=chat.id))

    @property
    def _username(self) -> str:
        return str(self._me["username"])

    def count(self) -> int:
        return len(self._queue)

    def after(self, offset: int, limit: int) -> list[dict[str, Any]]:
        """Forget what the offset confirms; a negative one leaves only so many of the latest."""
        with self._lock:
            if offset > 0:
                self._queue = [one for one in self._queue if one["update_id"] >= offset]
            elif offset < 0:
                self._queue = self._queue[offset:]
            return self._queue[: max(1, min(limit, 100))]

    def _push(self, kind: str, chat: Chat, content: dict[str, Any]) -> None:
        with self._lock:
            update = {**content, "chat": chat.show(), "date": int(time.time())}
            self._queue.append({"update_id": next(self._numbers), kind: update})


def _message(number: int, topic: int, **content: Any) -> dict[str, Any]:
    """One in a topic answers the message with which the topic began, and that one names it."""
    head = {"message_id": number, "from": _PERSON, **content}
    if not topic:
        return head
    began = {"message_id": topic, "forum_topic_created": {"name": _NAMES.get(topic, f"Тема {topic}")}}
    return {**head, "message_thread_id": topic, "is_topic_message": True, "reply_to_message": began}
