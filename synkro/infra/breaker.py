"""The circuit breaker: a service that fails again and again is left alone for a while, by all workers."""

from __future__ import annotations

import contextlib

from redis import Redis
from redis.exceptions import RedisError

from synkro.integrations.errors import Busy

FAILURES = 10
"""Requests in a row without an answer, after which a service is left alone: three calls with their tries."""
MEMORY_SECONDS = 600
"""A failure counts for so long. After a rest the next call is a probe: if it fails, the next rest begins at once."""
REST_SECONDS = 60


class RedisBreaker:
    """key: one tenant's connection to one service. Without Redis nothing is counted; the pacer stops calls then."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def admit(self, key: str, service: str) -> bool:
        """Whether failures are being counted. Raises Busy("resting") while the service is left alone."""
        with contextlib.suppress(RedisError):
            with self._redis.pipeline() as pipeline:
                pipeline.get(_failures(key))
                pipeline.pttl(_rest(key))
                failures, left = pipeline.execute()
            if left > 0:
                raise Busy("resting", retry_after=left / 1000, service=service)
            return failures is not None
        return False

    def failed(self, key: str) -> None:
        with contextlib.suppress(RedisError):
            with self._redis.pipeline() as pipeline:
                pipeline.incr(_failures(key))
                pipeline.expire(_failures(key), MEMORY_SECONDS)
                failures, _ = pipeline.execute()
            if failures >= FAILURES:
                self._redis.set(_rest(key), 1, ex=REST_SECONDS)

    def worked(self, key: str) -> None:
        with contextlib.suppress(RedisError):
            self._redis.delete(_failures(key))


def _failures(key: str) -> str:
    return f"synkro:failures:{key}"


def _rest(key: str) -> str:
    return f"synkro:resting:{key}"
