"""Showing once more who one is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from sqlalchemy import select, text

from synkro.extensions import vault
from synkro.models import AuditLog, Credential, User
from synkro.services.auth import sessions, totp
from synkro.services.auth.second_factor import context
from synkro.tenancy import db, system_scope
from tests.conftest import PASSWORD
from tests.support.having import assert_has
from tests.support.web_client import Browser, Enter

Cast = dict[str, User]


def acts() -> list[str]:
    with system_scope("test: look at the audit log"):
        return list(db.session.execute(select(AuditLog.act).order_by(AuditLog.id)).scalars())


def let_go_stale(column: str) -> None:
    with system_scope("test: shown a day ago"):
        db.session.execute(text(f"update sessions set {column} = now() - interval '1 day'"))
        db.session.commit()


def confirmed_at(user: User) -> datetime:
    return sessions.of(user.id)[0].confirmed_at


def is_recent(at: datetime | None) -> bool:
    return at is not None and datetime.now(UTC) - at < timedelta(minutes=1)


@pytest.fixture
def app_secret(cast: Cast) -> str:
    """The user has a second factor."""
    secret = totp.new_secret()
    with system_scope("test: a second factor"):
        held = db.session.get_one(Credential, cast["user"].id)
        held.totp_secret, held.totp_confirmed_at = vault().seal(secret, context(cast["user"].id)), datetime.now(UTC)
        db.session.commit()
    return secret


@pytest.mark.parametrize("who", ["user", "lite", "admin"])
def test_password_makes_the_session_fresh_and_leads_on(enter: Enter, cast: Cast, who: str) -> None:
    browser = enter(who)
    let_go_stale("confirmed_at")
    answer = browser.send("/confirm?what=password&next=/account", password=PASSWORD)
    assert_has(answer, status_code=303, location="/account")
    assert is_recent(confirmed_at(cast[who]))
    assert browser.get("/account").status_code == 200


def test_old_cookie_opens_nothing_after_it(enter: Enter) -> None:
    browser = enter("user")
    copied = browser.get_cookie("session")
    assert copied
    browser.send("/confirm", password=PASSWORD)
    thief = Browser(browser.application, browser.application.response_class)
    thief.set_cookie("session", copied.value)
    assert thief.get("/account").status_code == 302


def test_wrong_password_is_refused_and_written_down(enter: Enter, cast: Cast) -> None:
    browser = enter("user")
    before = confirmed_at(cast["user"])
    answer = browser.send("/confirm?next=/account", password="hunter2hunter2")
    assert answer.status_code == 401
    assert "hunter2hunter2" not in answer.text
    assert confirmed_at(cast["user"]) == before
    assert acts() == ["password_refused"]


def test_empty_form_is_no_try(enter: Enter) -> None:
    browser = enter("user")
    assert [browser.send("/confirm", password="").status_code for _ in range(7)] == [422] * 7
    assert acts() == []


def test_tries_are_limited_together_with_those_at_the_door(enter: Enter, cast: Cast) -> None:
    browser, http_client = enter("user"), enter("nobody")
    http_client.environ_base["REMOTE_ADDR"] = browser.environ_base["REMOTE_ADDR"]
    with time_machine.travel(datetime.now(UTC), tick=False):
        got = [browser.send("/confirm", password="wrong").status_code for _ in range(3)]
        got += [http_client.send("/login", email="user@example.com", password="wrong").status_code for _ in range(2)]
        last = browser.send("/confirm", password=PASSWORD)
    assert got == [401] * 5
    assert last.status_code == 429
    assert int(last.headers["Retry-After"]) == 300


@pytest.mark.parametrize("next_page", ["//evil.example", "https://evil.example", "/\\evil.example", "/logout", ""])
def test_is_not_sent_elsewhere(enter: Enter, next_page: str) -> None:
    assert enter("user").send(f"/confirm?next={next_page}", password=PASSWORD).location == "/dashboard"


def with_stale_code(enter: Enter) -> Browser:
    browser = enter("user")
    let_go_stale("factor_at")
    return browser


def test_code_makes_the_second_factor_fresh(enter: Enter, cast: Cast, app_secret: str) -> None:
    browser = with_stale_code(enter)
    code = pyotp.TOTP(app_secret).now()
    assert browser.send("/confirm?what=code&next=/account", code="not a code").status_code == 401
    assert acts() == ["second_factor_refused"]
    assert browser.send("/confirm?what=code&next=/account", code=code).location == "/account"
    assert is_recent(sessions.of(cast["user"].id)[0].factor_at)


def test_whoever_has_no_second_factor_is_led_to_it(enter: Enter) -> None:
    answer = enter("user").get("/confirm?what=code&next=/account")
    assert_has(answer, status_code=302, location="/second-factor/set-up?next=/account")


@pytest.mark.usefixtures("app_secret")
def test_password_does_not_stand_in_for_a_code(enter: Enter) -> None:
    browser = with_stale_code(enter)
    assert browser.send("/confirm?what=code", code=PASSWORD).status_code == 401


@pytest.mark.usefixtures("app_secret")
@pytest.mark.parametrize(("what", "field"), [("password", "password"), ("code", "code"), ("anything", "password")])
def test_page_asks_for_what_is_needed(enter: Enter, what: str, field: str) -> None:
    page = with_stale_code(enter).get(f"/confirm?what={what}").text
    assert re.findall(r'<input[^>]* name="(password|code)"', page) == [field]
