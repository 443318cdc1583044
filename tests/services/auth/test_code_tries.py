"""How often a code of the second factor may be tried."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from synkro.extensions import remember, settings, vault
from synkro.models import User
from synkro.services.auth import second_factor
from synkro.services.auth.attempts import TooManyTries
from tests.conftest import redis_away
from tests.support.factor import NOON, Cast, acts, code_at, enrolled


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def user(cast: Cast, clock: time_machine.Coordinates) -> User:
    return cast["user"]


def wrong(user: User, times: int) -> None:
    for _ in range(times):
        assert not second_factor.take_code(user.id, "no code")


def test_sixth_try_has_to_wait_even_with_the_right_code(user: User, clock: time_machine.Coordinates) -> None:
    enrolled(user)
    wrong(user, 5)
    with pytest.raises(TooManyTries) as refusal:
        second_factor.take_code(user.id, code_at(user, NOON))
    assert refusal.value.seconds == 300
    assert acts()[-1] == ("second_factor_limited", user.email)
    clock.shift(timedelta(minutes=5, seconds=1))
    assert second_factor.take_code(user.id, code_at(user, datetime.now(UTC)))


@pytest.mark.parametrize(("pause", "most"), [(90, 20), (240, 50)])
def test_patience_does_not_help_to_guess(user: User, clock: time_machine.Coordinates, pause: int, most: int) -> None:
    """As fast as the shorter limits let one: 20 an hour, 50 a day."""
    enrolled(user)
    for _ in range(most):
        wrong(user, 1)
        clock.shift(timedelta(seconds=pause))
    with pytest.raises(TooManyTries):
        second_factor.take_code(user.id, "no code")


def test_right_codes_do_not_count(user: User, clock: time_machine.Coordinates) -> None:
    enrolled(user)
    for _ in range(8):
        assert second_factor.take_code(user.id, code_at(user, datetime.now(UTC)))
        clock.shift(timedelta(seconds=30))


def test_guesses_of_one_are_not_those_of_another(cast: Cast, user: User) -> None:
    enrolled(user)
    enrolled(cast["other"])
    wrong(cast["other"], 5)
    assert second_factor.take_code(user.id, code_at(user, NOON))


def test_guesses_at_one_moment_are_counted_before_they_are_checked(app: Flask, user: User) -> None:
    enrolled(user)

    def guess(_turn: int) -> str:
        with app.app_context():
            try:
                return str(second_factor.take_code(user.id, "no code"))
            except TooManyTries:
                return "wait"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(guess, range(12))) == ["False"] * 5 + ["wait"] * 7


def test_guesses_are_limited_without_redis(app: Flask, user: User) -> None:
    enrolled(user)
    remember(app, settings(), vault(), redis_away())
    wrong(user, 5)
    with pytest.raises(TooManyTries):
        second_factor.take_code(user.id, code_at(user, NOON))


def test_guesses_of_a_stranger_do_not_keep_a_known_browser_out(user: User) -> None:
    enrolled(user)
    wrong(user, 5)
    assert second_factor.take_code(user.id, code_at(user, NOON), "the owner's browser")
