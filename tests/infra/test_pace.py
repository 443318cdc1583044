from __future__ import annotations

import multiprocessing
import threading
import time
from multiprocessing.connection import Connection

import pytest
from redis import Redis

from synkro.infra import pace
from synkro.infra.pace import RedisPacer
from synkro.integrations.errors import Busy

Turn = tuple[float, float]
"""The earliest and the latest instant at which a turn can have been, in seconds."""


def take(store: Redis, key: str, rate: float, count: int) -> list[Turn]:
    """Take turns without waiting for them: the pause is added to the time at which it was told."""
    turns = []
    script = store.register_script(pace.TAKE_TURN)
    for _ in range(count):
        before = time.monotonic()
        pause = int(script(keys=[f"synkro:pace:{key}"], args=[round(1_000_000 / rate)])) / 1_000_000
        turns.append((before + pause, time.monotonic() + pause))
    return turns


def in_threads(store: Redis, rate: float, count: int) -> list[Turn]:
    found: list[Turn] = []
    threads = [threading.Thread(target=lambda: found.extend(take(store, "k", rate, count))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def in_processes(store: Redis, rate: float, count: int) -> list[Turn]:
    fork = multiprocessing.get_context("fork")

    def child(end: Connection) -> None:
        own = Redis(connection_pool=store.connection_pool)
        own.connection_pool.reset()
        end.send(take(own, "k", rate, count))
        end.close()

    ends = [fork.Pipe(duplex=False) for _ in range(3)]
    children = [fork.Process(target=child, args=(far,)) for _, far in ends]
    for process in children:
        process.start()
    found = [turn for near, _ in ends for turn in near.recv()]
    for process in children:
        process.join()
    return found


def most_in_a_second(turns: list[Turn]) -> int:
    """Of turns that surely lie within the same second."""
    return max(sum(1 for other in turns if other[0] >= turn[0] and other[1] < turn[0] + 1) for turn in turns)


@pytest.mark.parametrize("together", [in_threads, in_processes])
def test_workers_together_never_exceed_the_rate(store: Redis, together: object) -> None:
    turns = together(store, 20.0, 25)  # type: ignore[operator]
    assert most_in_a_second(turns) <= 20
    # each turn is known by two bounds; the n-th of the lower and the n-th of the upper ones enclose the n-th turn
    earliest, latest = (sorted(bounds) for bounds in zip(*turns, strict=True))
    assert min(after - before for before, after in zip(earliest, latest[1:], strict=False)) >= 1 / 20 - 0.000_01


def test_no_turn_is_wasted(store: Redis) -> None:
    """So slow a rate that everybody asks long before the second turn: none is lost because nobody came."""
    turns = sorted(in_threads(store, 1 / 60, 25))
    assert turns[-1][0] - turns[0][0] < 99.5 * 60


def test_a_backlog_of_minutes_is_not_forgotten(store: Redis) -> None:
    """Slow limits gather long queues: the key lives as long as the last turn in it."""
    take(store, "slow", 1 / 60, 5)
    left = store.pttl("synkro:pace:slow")
    assert left >= 4 * 60_000


def test_an_idle_key_leaves_nothing_behind(store: Redis) -> None:
    take(store, "k", 1 / 60, 1)
    assert 0 < store.pttl("synkro:pace:k") <= 61_000


def test_a_turn_is_waited_for(store: Redis) -> None:
    pacer = RedisPacer(store)
    started = time.monotonic()
    for _ in range(5):
        pacer.wait("k", 20.0)
    assert time.monotonic() - started >= 4 / 20 - 0.000_1


def test_one_key_does_not_wait_for_another(store: Redis) -> None:
    pacer = RedisPacer(store)
    pacer.wait("one", 1 / 600)
    started = time.monotonic()
    pacer.wait("other", 1 / 600)
    assert time.monotonic() - started < 300


def test_a_restarted_redis_is_no_hindrance(store: Redis) -> None:
    pacer = RedisPacer(store)
    pacer.wait("k", 100.0)
    store.script_flush()
    store.flushdb()
    pacer.wait("k", 100.0)


def test_a_long_rest_gives_the_worker_back(store: Redis) -> None:
    pacer = RedisPacer(store)
    pacer.pause("k", 900, "amocrm_blocked")
    with pytest.raises(Busy) as caught:
        RedisPacer(store).wait("k", 1000.0)
    assert caught.value.code == "amocrm_blocked"
    assert 600 < (caught.value.retry_after or 0) <= 900


def test_a_short_rest_is_slept_through(store: Redis) -> None:
    pacer = RedisPacer(store)
    started = time.monotonic()
    pacer.pause("k", 0.2, "busy")
    pacer.wait("k", 1000.0)
    assert time.monotonic() - started >= 0.2 - 0.01  # whole milliseconds are told, and not rounded up


def test_a_rest_is_one_keys_own(store: Redis) -> None:
    pacer = RedisPacer(store)
    pacer.pause("one", 900, "busy")
    pacer.wait("other", 1000.0)


def test_a_shorter_rest_does_not_cut_a_longer_one_off(store: Redis) -> None:
    pacer = RedisPacer(store)
    pacer.pause("k", 900, "amocrm_blocked")
    pacer.pause("k", 60, "busy")
    with pytest.raises(Busy, match="amocrm_blocked"):
        pacer.wait("k", 1000.0)


@pytest.mark.parametrize("seconds", [10.0**12, 3_601])
def test_a_vendor_cannot_silence_us_for_days(store: Redis, seconds: float) -> None:
    RedisPacer(store).pause("k", seconds, "busy")
    assert store.pttl("synkro:rest:k") <= 3_600_000


@pytest.mark.parametrize("seconds", [0, -5, 0.0001])
def test_no_rest_is_no_rest(store: Redis, seconds: float) -> None:
    pacer = RedisPacer(store)
    pacer.pause("k", seconds, "busy")
    pacer.wait("k", 1000.0)


def test_a_rest_that_cannot_be_kept_stops_nobody() -> None:
    RedisPacer(Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=1)).pause("k", 60, "busy")


def test_without_redis_nothing_is_sent() -> None:
    pacer = RedisPacer(Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=1))
    with pytest.raises(Busy) as caught:
        pacer.wait("k", 1.0)
    assert caught.value.passing
    assert caught.value.retry_after == 30
