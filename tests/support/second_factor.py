"""A phone with the codes of the second factor, and the pages that ask for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from werkzeug.test import TestResponse

from synkro.models import User
from synkro.services.auth import second_factor
from tests.conftest import PASSWORD
from tests.support.factor import HERE
from tests.support.web_client import Browser

Cast = dict[str, User]
SET_UP, ASK, MANAGE = "/second-factor/set-up", "/second-factor", "/account/second-factor"
CODES, OFF = "/account/second-factor/codes", "/account/second-factor/off"


class Phone:
    """An authenticator app. Its codes are not those of the moment before."""

    def __init__(self, secret: str) -> None:
        self._codes = pyotp.TOTP(secret)

    def code(self) -> str:
        return self._codes.now()


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def later(clock: time_machine.Coordinates, **time: float) -> None:
    clock.shift(timedelta(**time))


def knock(client: Browser, who: str, **more: str) -> TestResponse:
    return client.send("/login", email=f"{who}@example.com", password=PASSWORD, **more)


def phone_of(page: TestResponse) -> Phone:
    found = re.search(r'id="sf-secret">([A-Z2-7]{32})<', page.text)
    assert found, page.text[:500]
    return Phone(found[1])


def codes_of(page: TestResponse) -> list[str]:
    return re.findall(r"<li>([A-Z2-7]{4}(?:-[A-Z2-7]{4}){3})</li>", page.text)


def enrolled(user: User, clock: time_machine.Coordinates) -> tuple[Phone, list[str]]:
    """A minute ago, so that the present code is unused."""
    phone = Phone(second_factor.begin(user, HERE).secret)
    codes = second_factor.confirm(user, HERE, phone.code())
    later(clock, minutes=1)
    return phone, codes
