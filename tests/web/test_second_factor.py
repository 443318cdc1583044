"""The second door, as a browser meets it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape

import pyotp
import pytest
import time_machine
from sqlalchemy import select
from werkzeug.test import TestResponse

from synkro.blueprints.cookie import TOKEN
from synkro.models import AuditLog, RecoveryCode, User
from synkro.services.entry import second_factor
from synkro.tenancy import db, system_scope
from tests.conftest import PASSWORD
from tests.services.factor import HERE
from tests.support.having import assert_has
from tests.web.conftest import Browser, Enter

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
