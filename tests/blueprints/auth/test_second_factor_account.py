"""The second factor of somebody who is in: new codes, switched off, set up anew."""

from __future__ import annotations

import pytest
import time_machine
from sqlalchemy import select

from synkro.models import AuditLog, RecoveryCode, User
from synkro.services.auth import second_factor
from synkro.tenancy import db, system_scope
from tests.conftest import PASSWORD
from tests.support.second_factor import (
    ASK,
    CODES,
    MANAGE,
    OFF,
    SET_UP,
    Cast,
    codes_of,
    enrolled,
    knock,
    later,
    phone_of,
)
from tests.support.second_factor import clock as clock  # noqa: PLC0414 (a fixture)
from tests.support.web_client import Browser, Enter


def ready(enter: Enter, who: str = "user") -> Browser:
    """A browser of somebody who has just set it up."""
    browser = enter(who)
    browser.send(SET_UP, code=phone_of(browser.get(SET_UP)).code())
    return browser


def test_page_offers_to_set_it_up(enter: Enter) -> None:
    page = enter("user").get(MANAGE).text
    assert 'href="/second-factor/set-up?next=/account/second-factor"' in page
    assert OFF not in page


def test_page_says_how_many_codes_are_left(enter: Enter, cast: Cast) -> None:
    page = ready(enter).get(MANAGE).text
    assert "10 codes of 10 are left." in page
    assert "alert--warn" not in page


@pytest.mark.parametrize(("used", "is_warned"), [(6, False), (7, True)])
def test_page_warns_of_the_last_codes(
    enter: Enter, cast: Cast, clock: time_machine.Coordinates, used: int, is_warned: bool
) -> None:
    browser = ready(enter)
    codes = codes_of(browser.send(CODES))
    for code in codes[:used]:
        assert second_factor.take_code(cast["user"].id, code)
    assert ("alert--warn" in browser.get(MANAGE).text) is is_warned


def test_new_codes_are_shown_and_the_old_ones_are_dead(enter: Enter, cast: Cast) -> None:
    browser = ready(enter)
    first, second = codes_of(browser.send(CODES)), codes_of(browser.send(CODES))
    assert len(first) == 10
    assert len(second) == 10
    assert not second_factor.take_code(cast["user"].id, first[0])
    assert second_factor.take_code(cast["user"].id, second[0])


def kept(user: User) -> tuple[second_factor.State, list[str]]:
    """What is stored of the second factor, with the hashes of its recovery codes."""
    with system_scope("test: the stored codes"):
        hashes = select(RecoveryCode.code_hash).where(RecoveryCode.user_id == user.id)
        stored = sorted(db.session.execute(hashes).scalars())
    return second_factor.state(user.id), stored


@pytest.mark.parametrize("path", [CODES, OFF])
def test_a_code_alone_changes_nothing(enter: Enter, cast: Cast, clock: time_machine.Coordinates, path: str) -> None:
    phone, _ = enrolled(cast["user"], clock)
    browser = enter("user")
    browser.send(ASK, code=phone.code())
    later(clock, minutes=16)
    before = kept(cast["user"])
    asked = browser.send(path)
    assert asked.location.startswith("/confirm?what=password&next=/confirm?what%3Dcode")
    browser.send("/confirm?what=code", code=phone.code())
    assert browser.send(path).location.startswith("/confirm?what=password")
    assert kept(cast["user"]) == before
    browser.send("/confirm?what=password", password=PASSWORD)
    assert browser.send(path).status_code in (200, 303)
    assert kept(cast["user"]) != before


def test_password_and_code_are_asked_for_one_after_the_other(
    enter: Enter, cast: Cast, clock: time_machine.Coordinates
) -> None:
    phone, _ = enrolled(cast["user"], clock)
    browser = enter("user")
    browser.send(ASK, code=phone.code())
    later(clock, minutes=16)
    first = browser.post(
        OFF, data={"csrf_token": browser.token()}, headers={"Referer": f"http://localhost{MANAGE}"}
    ).location
    second = browser.send(first, password=PASSWORD).location
    assert browser.send(second, code=phone.code()).location == MANAGE


def test_staff_who_left_the_setup_lying_sign_in_anew(
    client: Browser, cast: Cast, clock: time_machine.Coordinates
) -> None:
    knock(client, "admin")
    phone = phone_of(client.get(SET_UP))
    later(clock, minutes=16)
    answer = client.send(SET_UP, code=phone.code())
    assert answer.location.startswith("/login")
    assert second_factor.state(cast["admin"].id).confirmed_at is None
    assert knock(client, "admin", next=SET_UP).location == SET_UP


def test_another_browser_of_the_person_gets_a_secret_of_its_own(enter: Enter) -> None:
    assert phone_of(enter("user").get(SET_UP)).code() != phone_of(enter("user").get(SET_UP)).code()


@pytest.mark.parametrize("path", [CODES, OFF])
def test_an_old_code_is_asked_for_again_first(
    enter: Enter, cast: Cast, clock: time_machine.Coordinates, path: str
) -> None:
    browser = ready(enter)
    later(clock, minutes=16)
    before = second_factor.state(cast["user"].id)
    answer = browser.send(path)
    assert answer.status_code == 303
    assert "/confirm?what%3Dcode" in answer.location
    assert second_factor.state(cast["user"].id) == before


def test_switched_off_the_password_is_enough(client: Browser, enter: Enter, cast: Cast) -> None:
    browser = ready(enter)
    assert browser.send(OFF).location == MANAGE
    assert 'class="toast toast--warn"' in browser.get(MANAGE).text
    knock(client, "user")
    assert client.get("/dashboard").status_code == 200


@pytest.mark.parametrize("who", ["lite", "admin"])
def test_staff_keep_it(client: Browser, cast: Cast, who: str) -> None:
    knock(client, who)
    client.send(SET_UP, code=phone_of(client.get(SET_UP)).code())
    page = client.get(MANAGE)
    assert page.status_code == 200
    assert OFF not in page.text
    assert client.send(OFF).status_code == 403
    assert second_factor.state(cast[who].id).confirmed_at


def test_nothing_that_was_shown_stands_in_the_audit(enter: Enter) -> None:
    browser = enter("user")
    setup = browser.get(SET_UP)
    phone = phone_of(setup)
    code = phone.code()
    codes = codes_of(browser.send(SET_UP, code=code))
    with system_scope("test: the audit"):
        told = " ".join(f"{row.payload()}" for row in db.session.execute(select(AuditLog)).scalars())
    assert "second_factor_on" in told
    assert not [shown for shown in (code, *codes) if shown in told]
