"""The shared counter of requests: all workers together stay below a vendor's limit."""

from __future__ import annotations

import time

from redis import Redis
from redis.exceptions import RedisError

from synkro.integrations.errors import Busy

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
        self._take_turn = redis.register_script(TAKE_TURN)

    def wait(self, key: str, per_second: float) -> None:
        gap = round(1_000_000 / per_second)
        try:
            pause = int(self._take_turn(keys=[f"synkro:pace:{key}"], args=[gap]))
        except RedisError:
            raise Busy("pace_unavailable", retry_after=30) from None
        time.sleep(pause / 1_000_000)
