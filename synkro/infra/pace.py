"""The shared counter of requests: all workers together stay below a vendor's limit."""

from __future__ import annotations

import contextlib
import time

from redis import Redis
from redis.exceptions import RedisError

from synkro.integrations.errors import Busy

LONGEST_REST = 3_600
"""Seconds. A vendor who asks for more is asked again after an hour."""
SHORT_REST = 5
"""Seconds that are slept through; for a longer rest the worker is given back."""

# Each caller takes the next free instant of its key in one step, so that no two workers can take the same one.
TAKE_TURN = """
local now = redis.call('TIME')
local at = now[1] * 1000000 + now[2]
local free = tonumber(redis.call('GET', KEYS[1]) or '0')
local turn = math.max(at, free)
local after = turn + ARGV[1]
-- kept as long as somebody waits: a key that is forgotten earlier gives the same instants out again
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', string.format('%.0f', (after - at) / 1000 + 1000))
return string.format('%.0f', turn - at)
"""


class RedisPacer:
    """Evenly spaced turns. Without Redis nothing is sent: an uncounted request could get the account blocked."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._take_turn = redis.register_script(TAKE_TURN)

    def wait(self, key: str, per_second: float) -> None:
        """Returns at the turn. Raises Busy with the code of the rest that all have to keep, where it is a long one."""
        gap = round(1_000_000 / per_second)
        try:
            self._sit_out(f"synkro:rest:{key}")
            pause = int(self._take_turn(keys=[f"synkro:pace:{key}"], args=[gap]))
        except RedisError:
            raise Busy("pace_unavailable", retry_after=30) from None
        time.sleep(pause / 1_000_000)

    def pause(self, key: str, seconds: float, code: str) -> None:
        """A shorter rest does not cut a longer one off."""
        name, milliseconds = f"synkro:rest:{key}", round(min(seconds, LONGEST_REST) * 1000)
        with contextlib.suppress(RedisError):  # without Redis nothing is sent anyway
            if milliseconds > max(self._redis.pttl(name), 0):
                self._redis.set(name, code, px=milliseconds)

    def _sit_out(self, name: str) -> None:
        code = self._redis.get(name)
        left = self._redis.pttl(name) / 1000 if code else 0
        if left > SHORT_REST:
            raise Busy(str(code, "ascii") if isinstance(code, bytes) else str(code), retry_after=left)
        time.sleep(max(left, 0))
