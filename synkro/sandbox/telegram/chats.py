"""The groups a practice bot is in, what was sent to them, and how fast a bot may write."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

BURST, GROUP_PER_MINUTE, BOT_PER_SECOND = 3, 20, 30
"""Messages in a row to one chat, to one group in a minute, to all chats in a second."""


class TelegramError(Exception):
    """description: with its prefix, as it is sent. parameters: retry_after or migrate_to_chat_id."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
        if parameters:
            self.body["parameters"] = parameters


@dataclass
class Chat:
    """kind: private, group, supergroup or channel. topics: ids of a forum's threads. moved_to: a supergroup's id.

    is_shut: the bot was thrown out.
    """

    id: int
    kind: str
    title: str
    is_forum: bool = False
    topics: set[int] = field(default_factory=set)
    moved_to: int | None = None
    is_shut: bool = False

    def show(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": self.id, "title": self.title, "type": self.kind}
        return {**shown, "is_forum": True} if self.is_forum else shown


class Flood:
    """Counters of one bot. Messages that were refused do not count."""

    def __init__(self) -> None:
        self._sent: dict[int, deque[float]] = {}
        self._lock = threading.Lock()

    def check(self, chat: Chat) -> None:
        """Count one message. Raises TelegramError 429 when it comes too early."""
        now = time.monotonic()
        with self._lock:
            mine = self._sent.setdefault(chat.id, deque(maxlen=GROUP_PER_MINUTE))
            everyone = self._sent.setdefault(0, deque(maxlen=BOT_PER_SECOND))
            # A burst of three, then one a second: the third last message is at least three seconds old.
            waits = [_wait(mine, BURST, BURST, now), _wait(everyone, BOT_PER_SECOND, 1, now)]
            if chat.kind != "private":
                waits.append(_wait(mine, GROUP_PER_MINUTE, 60, now))
            if (wait := max(waits)) > 0:
                raise too_many(math.ceil(wait))
            mine.append(now)
            everyone.append(now)


def _wait(sent: deque[float], count: int, seconds: float, now: float) -> float:
    """Seconds until one more message leaves no more than `count` within `seconds`."""
    return sent[-count] + seconds - now if len(sent) >= count else 0.0


def too_many(seconds: int) -> TelegramError:
    return TelegramError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def moved(new_id: int) -> TelegramError:
    text = "Bad Request: group chat was upgraded to a supergroup chat"
    return TelegramError(400, text, migrate_to_chat_id=new_id)
