"""The second door, as a browser meets it."""

from __future__ import annotations

import re
from html import unescape

import pyotp
import pytest
import time_machine

from synkro.blueprints.auth.cookie import TOKEN
from tests.support.having import assert_has
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


def token_of(client: Browser) -> str:
    with client.session_transaction() as session:
        return str(session[TOKEN])


def with_token(client: Browser, token: str) -> Browser:
    with client.session_transaction() as session:
        session[TOKEN] = token
    return client


# ---- staff without a second factor


@pytest.mark.parametrize("who", ["lite", "admin"])
@pytest.mark.parametrize("path", ["/admin", MANAGE, "/account", "/dashboard", "/confirm?what=password", ASK])
def test_staff_without_one_reach_nothing_but_the_setup(client: Browser, cast: Cast, who: str, path: str) -> None:
    knock(client, who)
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.location.partition("?")[0] == SET_UP
    assert client.get(path, headers={"Accept": "application/json"}).status_code == 401


def test_staff_set_it_up_and_go_on_to_where_they_wanted(client: Browser, cast: Cast) -> None:
    knock(client, "admin", next="/admin?page=1")
    old = token_of(client)
    setup = client.get(client.get("/admin?page=1").location)
    done = client.send(SET_UP, code=phone_of(setup).code(), next="/admin?page=1")
    assert done.status_code == 200
    assert len(codes_of(done)) == 10
    assert done.headers["Cache-Control"] == "no-store"
    assert 'href="/admin?page=1"' in done.text
    assert client.get("/admin").status_code == 200
    assert with_token(client, old).get("/admin").location.startswith("/login")


def test_an_api_of_staff_is_open_only_after_the_code(client: Browser, cast: Cast) -> None:
    knock(client, "admin")
    as_json = {"Accept": "application/json"}
    before = client.get("/admin", headers=as_json)
    client.send(SET_UP, code=phone_of(client.get(SET_UP)).code())
    assert before.status_code == 401
    assert before.get_json()["code"] == "signed_out"
    assert client.get("/admin", headers=as_json).status_code == 200


def test_half_a_sign_in_changes_nothing(client: Browser, cast: Cast) -> None:
    knock(client, "admin")
    assert client.send(CODES).location.startswith(SET_UP)
    assert client.send(OFF).location.startswith(SET_UP)


def test_setup_can_be_left(client: Browser, cast: Cast) -> None:
    knock(client, "admin")
    client.send("/logout")
    assert client.get(SET_UP).location.startswith("/login")


# ---- setting up


def test_setup_shows_the_same_secret_until_it_is_confirmed(enter: Enter) -> None:
    browser = enter("user")
    pages = [browser.get(SET_UP), browser.send(SET_UP, code="000"), browser.send(SET_UP)]
    assert [page.status_code for page in pages] == [200, 422, 422]
    assert len({phone_of(page).code() for page in pages}) == 1


def test_setup_runs_under_the_policy_of_the_pages(enter: Enter) -> None:
    page = enter("user").get(SET_UP).text
    drawing = page[page.index('<svg width="') : page.index("</svg>", page.index('<svg width="'))]
    assert 'fill="#fff"' in drawing
    assert not re.search(r"style|script", drawing)


def test_link_for_the_app_holds_the_secret_and_the_person(enter: Enter, cast: Cast) -> None:
    found = re.search(r'href="(otpauth://[^"]+)"', enter("user").get(SET_UP).text)
    assert found
    read = pyotp.parse_uri(unescape(found[1]))
    assert_has(read, issuer="Synkro", name=cast["user"].email)


def test_an_old_password_is_asked_for_again_first(enter: Enter, clock: time_machine.Coordinates) -> None:
    browser = enter("user")
    later(clock, minutes=16)
    assert browser.get(SET_UP).location.startswith("/confirm?what=password")


def test_recovery_codes_are_shown_once(enter: Enter) -> None:
    browser = enter("user")
    form = {"code": phone_of(browser.get(SET_UP)).code()}
    assert len(codes_of(browser.send(SET_UP, **form))) == 10
    again = browser.send(SET_UP, **form)
    assert_has(again, status_code=302, location=MANAGE)
    assert browser.get(SET_UP).location == MANAGE
    assert not codes_of(browser.get(MANAGE))


@pytest.mark.parametrize("planted", ["//evil.example", "https://evil.example", "javascript:alert(1)"])
def test_setup_leads_to_own_pages_only(enter: Enter, planted: str) -> None:
    browser = enter("user")
    done = browser.send(SET_UP, code=phone_of(browser.get(SET_UP)).code(), next=planted)
    assert 'href="/dashboard"' in done.text
    assert "evil" not in done.text
    assert "alert(1)" not in done.text


def test_other_browsers_of_the_person_have_to_show_it_then(enter: Enter) -> None:
    one, other = enter("user"), enter("user")
    one.send(SET_UP, code=phone_of(one.get(SET_UP)).code())
    assert one.get("/dashboard").status_code == 200
    assert other.get("/dashboard").location.startswith(ASK)


# ---- asked for the code


def test_the_code_is_asked_for_after_the_password(client: Browser, cast: Cast, clock: time_machine.Coordinates) -> None:
    phone, _ = enrolled(cast["user"], clock)
    assert knock(client, "user").status_code == 303
    asked = client.get("/reports?page=1")
    assert asked.location == "/second-factor?next=/reports?page%3D1"
    old = token_of(client)
    assert 'value="/reports?page=1"' in client.get(asked.location).text
    right = client.send(ASK, code=phone.code(), next="/reports?page=1")
    assert_has(right, status_code=303, location="/reports?page=1")
    assert client.get("/reports").status_code == 200
    assert with_token(client, old).get("/reports").location.startswith("/login")


def test_recovery_code_stands_in_the_same_field(client: Browser, cast: Cast, clock: time_machine.Coordinates) -> None:
    _, codes = enrolled(cast["admin"], clock)
    knock(client, "admin")
    assert client.send(ASK, code=codes[0].lower()).location == "/admin"
    client.send("/logout")
    knock(client, "admin")
    assert client.send(ASK, code=codes[0]).status_code == 401


@pytest.mark.parametrize(
    ("code", "status"), [("", 422), ("000 00", 401), ("\x00", 401), ("<b>1</b>", 401), ("9" * 101, 422)]
)
def test_wrong_code_opens_nothing(
    client: Browser, cast: Cast, clock: time_machine.Coordinates, code: str, status: int
) -> None:
    enrolled(cast["admin"], clock)
    knock(client, "admin")
    answer = client.send(ASK, code=code)
    assert answer.status_code == status
    assert not code or code not in answer.text
    assert client.get("/admin").location.startswith(ASK)


def test_code_that_was_seen_over_a_shoulder_opens_nothing(
    client: Browser, enter: Enter, cast: Cast, clock: time_machine.Coordinates
) -> None:
    phone, _ = enrolled(cast["user"], clock)
    thief = enter("nobody")
    for browser in (client, thief):
        knock(browser, "user")
    assert client.send(ASK, code=phone.code()).status_code == 303
    assert thief.send(ASK, code=phone.code()).status_code == 401


def test_many_wrong_codes_have_to_wait(
    client: Browser, enter: Enter, cast: Cast, clock: time_machine.Coordinates
) -> None:
    """From two browsers: the limit of the account, not that of a person's requests in a minute."""
    phone, _ = enrolled(cast["user"], clock)
    knock(client, "user")
    for _ in range(5):
        assert client.send(ASK, code="no code").status_code == 401
    later(clock, minutes=2)
    other = enter("nobody")
    knock(other, "user")
    answer = other.send(ASK, code=phone.code())
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "180"
    assert 'name="code"' in answer.text


def test_half_signed_person_can_go_back(client: Browser, cast: Cast, clock: time_machine.Coordinates) -> None:
    enrolled(cast["user"], clock)
    knock(client, "user")
    assert 'action="/logout"' in client.get(ASK).text
    client.send("/logout")
    assert client.get(ASK).location.startswith("/login")


def test_half_signed_person_cannot_set_another_one_up(
    client: Browser, cast: Cast, clock: time_machine.Coordinates
) -> None:
    enrolled(cast["user"], clock)
    knock(client, "user")
    assert client.get(SET_UP).location.startswith(ASK)
    assert client.send(SET_UP, code="123456").location.startswith(ASK)


def test_whoever_is_in_needs_no_second_door(enter: Enter) -> None:
    assert enter("user").get(ASK).location == "/dashboard"


# ---- looking after it
