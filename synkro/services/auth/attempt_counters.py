"""Where tries are counted: in Redis for all processes together, or in the memory of this one. Both take atomically."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Protocol, TypeVar

from redis import Redis
from redis.exceptions import RedisError

from synkro.extensions import redis

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

FREE = 5
"""Tries for an account, from wherever, before the next one has to wait: 1 s, then twice as long each time."""
LONGEST_DELAY = 60
FORGOTTEN_AFTER = 3_600
"""Seconds without a try, after which the delay begins anew."""
NOTED_FOR = 300
FROM_ALL_ADDRESSES = (10, 300)
"""Tries for an account within seconds, where no delay is kept."""
MOST_KEYS = 20_000
"""Of the memory's book. Whoever fills it up makes it forget, which is why Redis is the first choice."""


@dataclass(frozen=True, slots=True)
class Window:
    """At most so many tries within any span of seconds."""

    key: str
    most: int
    span: int


class Counters(Protocol):
    def take(self, id_: str, windows: tuple[Window, ...], delay: str, now: float) -> tuple[float, bool]:
        """(0, False) when the try was counted; else (seconds to wait, is it the first refusal in a while), uncounted.

        now: seconds since 1970. delay: the key of the account's growing delay, "" for none.
        """

    def give_back(self, id_: str, windows: tuple[Window, ...], delay: str) -> None: ...

    def count(self, key: str, span: int, by: int) -> int:
        """The number with `by` added. Forgotten `span` seconds after the last change."""


# ARGV: id, now, delay key or "", constants, then most and span of each window in KEYS
TAKE = """
local id, now, delay = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local wait, turned_by = 0, ''
for i, key in ipairs(KEYS) do
  local most, span = tonumber(ARGV[6 + 2 * i]), tonumber(ARGV[7 + 2 * i])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - span)
  if redis.call('ZCARD', key) >= most then
    local oldest = redis.call('ZRANGE', key, -most, -most, 'WITHSCORES')
    if oldest[2] + span - now > wait then wait, turned_by = oldest[2] + span - now, key end
  end
end
local fails = 0
if delay ~= '' then
  local known = redis.call('HMGET', delay, 'fails', 'at', 'until')
  if known[1] and now - known[2] < tonumber(ARGV[6]) then
    fails = tonumber(known[1])
    if known[3] - now > wait then wait, turned_by = known[3] - now, delay end
  end
end
if wait > 0 then
  local first = redis.call('SET', turned_by .. ':noted', '1', 'NX', 'EX', ARGV[7])
  return {tostring(wait), first and 1 or 0}
end
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, ARGV[2], id)
  redis.call('EXPIRE', key, ARGV[7 + 2 * i])
end
if delay ~= '' then
  fails = fails + 1
  local rest = 0
  if fails >= tonumber(ARGV[4]) then rest = math.min(2 ^ (fails - ARGV[4]), tonumber(ARGV[5])) end
  redis.call('HSET', delay, 'fails', fails, 'at', ARGV[2], 'until', string.format('%.3f', now + rest))
  redis.call('EXPIRE', delay, ARGV[6])
end
return {'0', 0}
"""


class RedisCounters:
    def __init__(self, client: Redis) -> None:
        self._redis = client

    def take(self, id_: str, windows: tuple[Window, ...], delay: str, now: float) -> tuple[float, bool]:
        numbers = [number for window in windows for number in (window.most, window.span)]
        fixed: list[str | int] = [id_, f"{now:.3f}", delay, FREE, LONGEST_DELAY, FORGOTTEN_AFTER, NOTED_FOR]
        script = self._redis.register_script(TAKE)
        wait, is_first = script(keys=[window.key for window in windows], args=[*fixed, *numbers])
        return float(wait), bool(is_first)

    def give_back(self, id_: str, windows: tuple[Window, ...], delay: str) -> None:
        with self._redis.pipeline() as together:
            for window in windows:
                together.zrem(window.key, id_)
            if delay:
                together.delete(delay)
            together.execute()

    def count(self, key: str, span: int, by: int) -> int:
        with self._redis.pipeline() as together:
            together.incrby(key, by)
            together.expire(key, span)
            return int(together.execute()[0])


class MemoryCounters:
    """For one process, and stricter: instead of a delay that grows, a limit for the account from all addresses."""

    def __init__(self) -> None:
        self._tries: dict[str, dict[str, float]] = {}
        self._counts: dict[str, int] = {}
        self._lock = Lock()

    def take(self, id_: str, windows: tuple[Window, ...], delay: str, now: float) -> tuple[float, bool]:
        limits = (*windows, Window(delay, *FROM_ALL_ADDRESSES)) if delay else windows
        with self._lock:
            if len(self._tries) > MOST_KEYS:
                self._tries.clear()
            wait = max(self._wait(window, now) for window in limits)
            if wait <= 0:
                for window in limits:
                    self._tries[window.key][id_] = now
        return max(wait, 0.0), False

    def _wait(self, window: Window, now: float) -> float:
        """Seconds until the window has a place."""
        recent = {one: at for one, at in self._tries.get(window.key, {}).items() if at > now - window.span}
        self._tries[window.key] = recent
        return 0.0 if len(recent) < window.most else sorted(recent.values())[-window.most] + window.span - now

    def give_back(self, id_: str, windows: tuple[Window, ...], delay: str) -> None:
        with self._lock:
            for key in (*(window.key for window in windows), delay):
                self._tries.get(key, {}).pop(id_, None)

    def count(self, key: str, span: int, by: int) -> int:  # noqa: ARG002 (the few old ones are no burden)
        with self._lock:
            if len(self._counts) > MOST_KEYS:
                self._counts.clear()
            self._counts[key] = self._counts.get(key, 0) + by
            return self._counts[key]


_memory = MemoryCounters()


def with_counters(act: Callable[[Counters], Answer]) -> Answer:
    """What act does with the book of Redis; without Redis with that of this process, which is better than none."""
    try:
        return act(RedisCounters(redis()))
    except RedisError as error:
        log.warning("tries are counted without Redis", extra={"fields": {"error": type(error).__name__}})
        return act(_memory)
