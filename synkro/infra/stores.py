"""Where the data lives: the servers named in the settings, or the embedded ones, started when they are first needed."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import psycopg
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.connection import ConnectionPool, UnixDomainSocketConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry
from sqlalchemy import Engine, event

from config import Config
from synkro import embedded
from synkro.embedded import EngineError

log = logging.getLogger(__name__)

ANSWER_SECONDS = 10
"""Of Redis. A worker that waits for work sets a longer one itself."""


def database_url(config: Config) -> str:
    return config.database_url or embedded.addresses(config.var_dir).database_url


def owner_url(config: Config) -> str:
    """What migrations connect with."""
    return config.database_owner_url or database_url(config) if config.database_url else _own(config).owner_url


def _own(config: Config) -> embedded.Engines:
    return embedded.addresses(config.var_dir)


def start_when_needed(config: Config, engine: Engine) -> None:
    """Before a connection is opened, see that the embedded servers run: the next who asks restarts a dead one."""
    if config.database_url:
        return

    @event.listens_for(engine, "do_connect")
    def ensure(*_args: Any) -> None:
        try:
            embedded.start(config.var_dir, durable=config.env != "test")
        except EngineError as error:
            log.error("embedded PostgreSQL", exc_info=error)
            raise psycopg.OperationalError("the embedded PostgreSQL cannot be started") from error


def redis_client(config: Config) -> Redis:
    """Reconnects by itself, waiting at most two seconds between tries."""
    retry = Retry(ExponentialBackoff(cap=2, base=0.05), retries=2)
    if config.redis_url:
        return Redis.from_url(
            config.redis_url,
            retry=retry,
            socket_connect_timeout=3,
            socket_timeout=ANSWER_SECONDS,
            health_check_interval=30,
        )
    path = _own(config).redis_url.removeprefix("unix://").partition("?")[0]
    pool = ConnectionPool(
        connection_class=EmbeddedConnection,
        path=path,
        var_dir=config.var_dir,
        retry=retry,
        socket_timeout=ANSWER_SECONDS,
    )
    return Redis(connection_pool=pool)


class EmbeddedConnection(UnixDomainSocketConnection):
    """Starts the embedded Valkey when nobody answers at its socket."""

    def __init__(self, *args: Any, var_dir: Path, **kwargs: Any) -> None:
        self._var_dir = var_dir
        super().__init__(*args, **kwargs)

    def _connect(self) -> Any:
        try:
            return super()._connect()
        except (OSError, RedisConnectionError):
            self._start()
            return super()._connect()

    def _start(self) -> None:
        try:
            embedded.start(self._var_dir)
        except EngineError as error:
            log.error("embedded Valkey", exc_info=error)
            raise RedisConnectionError("the embedded Valkey cannot be started") from error


def limits_url(config: Config) -> str:
    """The limiter's library has its own Redis client and its own spelling of a socket."""
    url = config.redis_url or _own(config).redis_url.partition("?")[0]
    return f"redis+{url}" if url.startswith("unix:") else url
