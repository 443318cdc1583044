"""How often a password may be tried."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from redis import Redis
from sqlalchemy import text

from synkro.extensions import remember, settings, vault
from synkro.services.auth import attempt_counters, attempts
from synkro.services.auth.attempt_counters import LONGEST_DELAY
from synkro.services.auth.attempts import TooManyTries
from synkro.tenancy import db

ANN, BOB = "ann@example.com", "bob@example.com"
HOME, OFFICE = "192.0.2.1", "198.51.100.7"
START = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


@contextmanager
def after(**time: float) -> Iterator[None]:
    with time_machine.travel(START + timedelta(**time), tick=False):
        yield


def is_let(email: str = ANN, address: str = HOME, device: str = "") -> bool:
    try:
        attempts.take(email, address, device)
    except TooManyTries:
        return False
    return True


def wait(email: str = ANN, address: str = HOME, device: str = "") -> int:
    with pytest.raises(TooManyTries) as refusal:
        attempts.take(email, address, device)
    return refusal.value.seconds


def tries(count: int, email: str = ANN, *, each_from_elsewhere: bool = False) -> list[bool]:
    return [is_let(email, f"192.0.2.{turn}" if each_from_elsewhere else HOME) for turn in range(count)]


@pytest.fixture
def without_redis(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_counters, "_memory", attempt_counters.MemoryCounters())
    remember(app, settings(), vault(), Redis.from_url("unix:///nowhere/at/all"))


def test_account_from_one_address_is_tried_five_times_in_five_minutes(app: Flask) -> None:
    with after():
        assert tries(6) == [True] * 5 + [False]
        assert wait() == 300
    with after(seconds=299):
        assert not is_let()
    with after(seconds=301):
        assert is_let()


def test_account_from_one_address_is_tried_twenty_times_a_day(app: Flask) -> None:
    got = []
    for turn in range(21):
        with after(minutes=61 * turn):
            got.append(is_let())
    assert got == [True] * 20 + [False]
    with after(days=1, minutes=1):
        assert is_let()


def test_address_is_good_for_twenty_failures_an_hour(app: Flask) -> None:
    with after():
        got = [is_let(f"person{turn}@example.com") for turn in range(21)]
        assert is_let("person20@example.com", OFFICE)
    assert got == [True] * 20 + [False]
    with after(hours=1, seconds=1):
        assert is_let("person20@example.com")


def test_the_right_person_costs_the_office_nothing(app: Flask) -> None:
    with after():
        for turn in range(50):
            attempts.give_back(attempts.take(f"person{turn % 4}@example.com", OFFICE))
        assert is_let(ANN, OFFICE)


def test_account_rests_longer_each_time_wherever_the_tries_come_from(app: Flask) -> None:
    with after():
        assert tries(6, each_from_elsewhere=True) == [True] * 5 + [False]
    at, rests = 0.0, []
    for turn in range(9):
        with after(seconds=at):
            rests.append(wait(address=OFFICE))
            at += rests[-1]
        with after(seconds=at):
            assert is_let(address=f"203.0.113.{turn}")
    assert rests == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_account_is_never_locked(app: Flask) -> None:
    for turn in range(300):
        with after(seconds=turn * LONGEST_DELAY):
            assert is_let(address=f"10.0.{turn // 250}.{turn % 250}")


def test_refused_try_does_not_prolong_the_rest(app: Flask) -> None:
    with after():
        tries(6, each_from_elsewhere=True)
        for _ in range(100):
            is_let(address=OFFICE)
    with after(seconds=1.001):
        assert is_let(address=OFFICE)


def test_rest_is_forgotten_after_a_quiet_hour(app: Flask) -> None:
    for turn in range(10):
        with after(minutes=2 * turn):
            is_let(address=f"192.0.2.{turn}")
    with after(hours=2):
        assert [is_let(address=f"198.51.100.{turn}") for turn in range(5)] == [True] * 5


def test_stranger_does_not_keep_the_owners_browser_out(app: Flask) -> None:
    with after():
        tries(200, each_from_elsewhere=True)
        [is_let(f"person{turn}@example.com", OFFICE) for turn in range(30)]
        assert is_let(address=OFFICE, device="the owner's")


def test_known_browser_has_its_limit_too(app: Flask) -> None:
    with after():
        got = [is_let(device="stolen") for _ in range(6)]
        assert is_let(device="the owner's")
    assert got == [True] * 5 + [False]


def test_spelling_of_an_address_makes_no_other_account(app: Flask) -> None:
    with after():
        got = [is_let(spelled) for spelled in (ANN, ANN.upper(), f" {ANN} ", ANN, ANN, f"{ANN} ")]
    assert got == [True] * 5 + [False]


def test_two_hundred_at_once_are_not_all_let(app: Flask) -> None:
    def one(turn: int) -> bool:
        with app.app_context():
            return is_let(address=f"192.0.2.{turn}")

    with after(), ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(one, range(200))) == 5


def test_first_refusal_is_told_apart(app: Flask) -> None:
    firsts = []
    with after():
        tries(5)
        for _ in range(3):
            with pytest.raises(TooManyTries) as refusal:
                attempts.take(ANN, HOME)
            firsts.append(refusal.value.is_first)
    assert firsts == [True, False, False]


def test_redis_holds_no_address(store: Redis) -> None:
    attempts.take(ANN, HOME)
    attempts.take(ANN, HOME, "device")
    keys = b" ".join(store.keys("*")).decode()
    assert "synkro:tries:" in keys
    assert not [word for word in ("ann", "example", HOME) if word in keys]


def test_redis_forgets_every_count(store: Redis) -> None:
    attempts.take(ANN, HOME)
    names = store.keys("synkro:tries:*")
    assert len(names) == 5
    assert all(store.ttl(name) > 0 for name in names)


def test_many_failures_of_all_together_raise_the_alarm_once(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with after(), caplog.at_level(logging.WARNING):
        for turn in range(1_100):
            is_let(f"person{turn}@example.com", f"10.1.{turn // 250}.{turn % 250}")
        alarms = [line for line in caplog.messages if line == "many sign-ins fail"]
        assert is_let()
    assert len(alarms) == 1


@pytest.mark.usefixtures("without_redis")
def test_limits_hold_without_redis() -> None:
    with after():
        assert tries(6) == [True] * 5 + [False]
        assert wait() == 300
        assert not is_let(ANN.upper())
        assert is_let(BOB)
    with after(seconds=301):
        assert is_let()


@pytest.mark.usefixtures("without_redis")
def test_account_has_a_limit_without_redis_too() -> None:
    with after():
        assert tries(11, each_from_elsewhere=True) == [True] * 10 + [False]


@pytest.mark.usefixtures("without_redis")
def test_right_person_gives_the_try_back_without_redis() -> None:
    with after():
        for _ in range(30):
            attempts.give_back(attempts.take(ANN, HOME))
        assert is_let()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("admİn@x.kz", "admin@x.kz"), ("ＡＤＭＩＮ@x.kz", "admin@x.kz"), ("\u212aate@x.kz", "kate@x.kz")],
)
def test_spellings_of_one_address_share_a_book(app: Flask, store: Redis, typed: str, kept: str) -> None:
    assert [is_let(typed) for _ in range(5)] == [True] * 5
    assert not is_let(kept)


def test_what_the_database_takes_for_one_address_has_one_book(app: Flask) -> None:
    """Every letter that lower() changes: an account is found by it. None has letters that are new to Python."""
    asked = "select chr(n), lower(chr(n)) from generate_series(1, 1114111) n where n not between 55296 and 57343"
    found = db.session.execute(text(f"{asked} and lower(chr(n)) <> chr(n)")).all()
    rows = [(one, lower) for one, lower in found if unicodedata.category(one) != "Cn"]
    assert len(rows) > 1_000
    assert [one for one, lower in rows if attempts.name_of(f"a{one}n") != attempts.name_of(f"a{lower}n")] == []
