from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from config import Config, load
from synkro import embedded
from synkro.embedded import EngineError
from synkro.infra import queue, stores
from tests.support import leftovers


@pytest.fixture(scope="module")
def config() -> Iterator[Config]:
    """Engines of its own: they are killed here."""
    folder = leftovers.folder()
    embedded.start(folder, durable=False)
    yield load({"APP_ENV": "test", "VAR_DIR": str(folder)})
    embedded.stop(folder)
    shutil.rmtree(folder)


@pytest.fixture
def redis(config: Config) -> Iterator[Redis]:
    client = stores.redis_client(config)
    yield client
    client.close()


@pytest.fixture
def engine(config: Config) -> Iterator[Engine]:
    made = create_engine(stores.database_url(config), pool_pre_ping=True)
    stores.start_when_needed(config, made)
    yield made
    made.dispose()


def kill(config: Config, name: str) -> int:
    pid = embedded.status(config.var_dir)[name].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def one(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("select 1")).scalar_one())


def test_a_killed_valkey_is_started_by_the_next_who_asks(config: Config, redis: Redis) -> None:
    redis.ping()
    killed = kill(config, "valkey")
    assert redis.ping()
    assert embedded.status(config.var_dir)["valkey"].pid != killed


def test_a_new_client_starts_a_killed_valkey_too(config: Config) -> None:
    kill(config, "valkey")
    client = stores.redis_client(config)
    assert queue.enqueue(client, queue.STEPS, "some.job", "id", seconds=1)
    client.close()


def test_a_killed_postgresql_is_started_by_the_next_who_asks(config: Config, engine: Engine) -> None:
    with engine.connect() as connection:
        serving = connection.execute(text("select pg_backend_pid()")).scalar_one()
    killed = kill(config, "postgres")
    # the process behind the pooled connection ends by itself a moment later
    for _ in range(6_000):
        if psutil.pid_exists(serving):
            time.sleep(0.01)
    assert one(engine) == 1
    assert embedded.status(config.var_dir)["postgres"].pid != killed


def test_stopped_engines_are_started_by_the_next_who_asks(config: Config, engine: Engine, redis: Redis) -> None:
    embedded.stop(config.var_dir)
    assert one(engine) == 1
    assert redis.ping()


def unusable(tmp_path: Path) -> Config:
    """A VAR_DIR in which nothing can be made."""
    (tmp_path / "file").touch()
    return replace(load({"APP_ENV": "test", "VAR_DIR": str(tmp_path)}), var_dir=tmp_path / "file")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    stores.log.disabled = True
    yield
    stores.log.disabled = False


def test_a_postgresql_that_does_not_start_is_a_database_away(tmp_path: Path) -> None:
    config = unusable(tmp_path)
    with pytest.raises(EngineError):
        embedded.start(config.var_dir)
    engine = create_engine(stores.database_url(config))
    stores.start_when_needed(config, engine)
    with pytest.raises(OperationalError):
        one(engine)


def test_a_valkey_that_does_not_start_is_a_redis_away(tmp_path: Path) -> None:
    client = stores.redis_client(unusable(tmp_path))
    with pytest.raises(RedisConnectionError):
        client.ping()
    assert queue.enqueue(client, queue.STEPS, "some.job", "id", seconds=1) is False


PRODUCTION = {
    "APP_ENV": "production",
    "BASE_URL": "https://cabinet.example.kz",
    "APP_SECRET_KEY": "s" * 40,
    "AUDIT_KEY": "a" * 40,
    "FIELD_ENCRYPTION_KEY": "e" * 64,
    "DATABASE_URL": "postgresql://synkro_app@db/synkro",
    "DATABASE_OWNER_URL": "postgresql://synkro_owner@db/synkro",
    "REDIS_URL": "redis://cache:6379/0",
}


def test_named_servers_are_used_and_no_engine_is_started() -> None:
    config = load(PRODUCTION)
    assert stores.database_url(config) == "postgresql+psycopg://synkro_app@db/synkro"
    assert stores.owner_url(config) == "postgresql+psycopg://synkro_owner@db/synkro"
    assert stores.limits_url(config) == "redis://cache:6379/0"
    engine = create_engine(stores.database_url(config))
    before = len(engine.dialect.dispatch.do_connect)
    stores.start_when_needed(config, engine)
    assert len(engine.dialect.dispatch.do_connect) == before


def test_a_redis_that_does_not_answer_is_not_waited_for_for_ever() -> None:
    kwargs = stores.redis_client(load(PRODUCTION)).connection_pool.connection_kwargs
    assert kwargs["socket_timeout"] <= 10
    assert kwargs["socket_connect_timeout"] <= 3


def test_the_limits_are_counted_in_the_same_valkey(config: Config, redis: Redis) -> None:
    path = stores.limits_url(config).removeprefix("redis+unix://")
    assert redis.connection_pool.connection_kwargs["path"] == path
