"""Guesses at the doors are slowed down until the page says how long to wait; whose door it is comes in all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from redis import Redis
from werkzeug.middleware.proxy_fix import ProxyFix

from synkro.models import User
from tests.browser.conftest import Opener, served
from tests.conftest import PASSWORD
from tests.support import factor
from tests.support.browser.person import Person

WAIT = re.compile(r"Too many attempts\. Wait \d+ (seconds|minutes) and try again\.")


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """Behind one proxy, so that browsers have addresses of their own."""
    with served(ProxyFix(app, x_for=1)) as address:
        yield address


def a_minute_later(store: Redis) -> None:
    """For the limit of the address alone; the wait for the account is five minutes long."""
    for key in store.scan_iter("LIMITS:*"):
        store.delete(key)


def test_a_stranger_has_to_wait_and_the_owner_comes_in(cast: dict[str, User], window: Opener, store: Redis) -> None:
    owner = Person(window(locale="en-US", address="192.0.2.10"), cast["user"].email)
    owner.signs_in(PASSWORD)
    owner.page.wait_for_url("**/dashboard")
    owner.presses("Sign out")

    stranger = Person(window(locale="en-US", address="192.0.2.66"), owner.email)
    for n in range(5):
        stranger.signs_in(f"a guess {n}")
        stranger.reads("The e-mail or the password is wrong.")
    stranger.signs_in("a guess too many")
    stranger.sees("Too many attempts")
    a_minute_later(store)
    stranger.signs_in(PASSWORD)
    stranger.reads(WAIT)
    assert stranger.page.get_by_label("E-mail", exact=True).input_value() == owner.email

    owner.signs_in(PASSWORD)
    owner.page.wait_for_url("**/dashboard")
    assert [one.window.faults for one in (owner, stranger)] == [[], []]


def test_codes_are_not_guessed_either(cast: dict[str, User], window: Opener, store: Redis) -> None:
    factor.enrolled(cast["user"])
    thief = Person(window(locale="en-US"), cast["user"].email)
    thief.signs_in(PASSWORD)
    for n in range(5):
        thief.sees("Enter the code")
        thief.types("Code", f"00000{n}")
        thief.presses("Continue")
        thief.reads("This code does not fit, or it was used already.")
    a_minute_later(store)
    thief.types("Code", factor.code_at(cast["user"], datetime.now(UTC)))
    thief.presses("Continue")
    thief.reads(WAIT)
    thief.window.open("/dashboard")
    thief.sees("Enter the code")
    assert thief.window.faults == []
