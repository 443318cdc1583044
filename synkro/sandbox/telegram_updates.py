"""The queue of updates of a bot that was just added to a group and greeted in one of its topics."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

from synkro.sandbox.telegram_chats import Chat

TOPIC = 17
"""The forum's topic in which people write."""

_PERSON = {"id": 800000001, "is_bot": False, "first_name": "Айгерим", "language_code": "ru"}


class Updates:
    """Kept until an offset confirms them. me: the bot as a User. number: of the greeting in the chat."""

    def __init__(self, chat: Chat, me: dict[str, Any], number: int) -> None:
        self._chat = chat
        self._queue: list[dict[str, Any]] = []
        self._numbers = itertools.count(900000001)
        self._lock = threading.Lock()
        old, new = {"user": me, "status": "left"}, {"user": me, "status": "member"}
        self._push("my_chat_member", {"from": _PERSON, "old_chat_member": old, "new_chat_member": new})
        self.hear(f"/start@{me['username']}", number)

    def hear(self, text: str, number: int) -> None:
        """A person writes to the group under this message number."""
        topic = {"message_thread_id": TOPIC, "is_topic_message": True}
        self._push("message", {"message_id": number, "from": _PERSON, **topic, "text": text})

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

    def _push(self, kind: str, content: dict[str, Any]) -> None:
        with self._lock:
            update = {**content, "chat": self._chat.show(), "date": int(time.time())}
            self._queue.append({"update_id": next(self._numbers), kind: update})
