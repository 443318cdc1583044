"""The own account."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

from synkro.blueprints.auth.browsers import browser_name
from synkro.models import AuditLog, Tenant, User
from synkro.services.auth import accounts, sessions
from synkro.tenancy import db, system_scope
from tests.conftest import PASSWORD
from tests.support.having import assert_has
from tests.support.web_client import Browser, Enter

Cast = dict[str, User]
NEW = "kettle anchor violet ninety"


def copy_of(browser: Browser) -> Browser:
    """A thief's: the same cookie elsewhere."""
    cookie = browser.get_cookie("session")
    assert cookie
    thief = Browser(browser.application, browser.application.response_class)
    thief.set_cookie("session", cookie.value)
    return thief


def is_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


def disable(_browser: Browser) -> None:
    db.session.execute(text("update users set is_active = false where email = 'user@example.com'"))
    db.session.commit()


def leave(browser: Browser) -> None:
    browser.send("/logout")


def change_password(browser: Browser) -> None:
    assert browser.send("/account/password", current=PASSWORD, new=NEW).status_code == 303


def leave_everywhere_else(browser: Browser) -> None:
    browser.send("/account/sessions/end-others")


@pytest.mark.parametrize("act", [leave, change_password, disable])
def test_copied_cookie_opens_nothing_after(enter: Enter, act: Callable[[Browser], None]) -> None:
    browser = enter("user")
    thief = copy_of(browser)
    assert is_in(thief)
    act(browser)
    answer = thief.get("/account")
    assert_has(answer, status_code=302, location="/login?next=/account")


@pytest.mark.parametrize("act", [change_password, leave_everywhere_else])
def test_other_browser_is_out_after(enter: Enter, act: Callable[[Browser], None]) -> None:
    here, there, stranger = enter("user"), enter("user"), enter("settings")
    act(here)
    assert [is_in(one) for one in (here, there, stranger)] == [True, False, True]


def test_new_password_opens_the_door(enter: Enter, cast: Cast) -> None:
    change_password(enter("user"))
    assert accounts.sign_in("user@example.com", NEW) is not None
    assert accounts.sign_in("user@example.com", PASSWORD) is None


@pytest.mark.parametrize(
    ("current", "new", "status", "says"),
    [
        ("wrong", NEW, 401, "The password is wrong."),
        (PASSWORD, "short", 422, "A password has 12 to 128 characters"),
        (PASSWORD, "qwerty123456", 422, "easy to guess"),
        (PASSWORD, "user@example.com", 422, "easy to guess"),
        (PASSWORD, "", 422, "Fill this in"),
        ("", NEW, 422, "Fill this in"),
    ],
)
def test_refused_password_changes_nothing(enter: Enter, current: str, new: str, status: int, says: str) -> None:
    here, there = enter("user"), enter("user")
    answer = here.send("/account/password", current=current, new=new)
    assert answer.status_code == status
    assert says in answer.text
    assert not re.search(r'value="[^"]*(wrong|short|qwerty|kettle|battery)', answer.text)
    assert is_in(there)
    assert accounts.sign_in("user@example.com", PASSWORD) is not None


def test_the_password_of_before_is_not_a_new_one(enter: Enter) -> None:
    answer = enter("user").send("/account/password", current=PASSWORD, new=PASSWORD)
    assert answer.status_code == 422
    assert "Take a new one." in answer.text


def test_guessing_the_current_password_is_limited(enter: Enter, cast: Cast) -> None:
    browser = enter("user")
    with time_machine.travel(datetime.now(UTC), tick=False):
        got = [browser.send("/account/password", current="wrong", new=NEW).status_code for _ in range(5)]
        last = browser.send("/account/password", current=PASSWORD, new=NEW)
    assert got == [401] * 5
    assert last.status_code == 429
    assert last.headers["Retry-After"]


def test_browsers_are_listed_this_one_first(enter: Enter, cast: Cast) -> None:
    here = enter("user")
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    sessions.start(cast["user"], "203.0.113.9", agent)
    rows = re.findall(r"<tr>\s*<th scope=\"row\">\s*(.*?)<br>(.*?)</tr>", here.get("/account").text, re.DOTALL)
    assert [name for name, _ in rows] == ["Unknown browser", "Firefox on Windows"]
    assert ["This browser" in rest for _, rest in rows] == [True, False]
    assert "203.0.113.9" in rows[1][1]


def test_browser_that_idled_away_is_not_listed(enter: Enter, cast: Cast) -> None:
    sessions.start(cast["user"], "203.0.113.9", "a browser")
    with system_scope("test: long unused"):
        db.session.execute(text("update sessions set seen_at = now() - interval '13 hours'"))
        db.session.commit()
    assert "203.0.113.9" not in enter("user").get("/account").text


def test_hostile_browser_is_shown_as_text(enter: Enter, cast: Cast) -> None:
    sessions.start(cast["user"], "<img src=x>", "<script>alert(1)</script>")
    page = enter("user").get("/account").text
    assert "<img src=x>" not in page
    assert "alert(1)" not in page


def test_times_are_those_of_the_company(app: Flask, enter: Enter, cast: Cast, tenant: Tenant) -> None:
    with time_machine.travel(datetime(2026, 11, 18, 20, 30, tzinfo=UTC), tick=False):
        page = enter("user").get("/account").text
    assert "Nov 19, 2026, 01:30" in page or "19 Nov 2026, 01:30" in page


def test_one_browser_is_signed_out(enter: Enter, cast: Cast) -> None:
    there = enter("user")
    (row,) = sessions.of(cast["user"].id)
    here = enter("user")
    assert here.send(f"/account/sessions/{row.id}/end").status_code == 303
    assert [is_in(here), is_in(there)] == [True, False]


def test_browser_of_somebody_else_is_not_found(enter: Enter, cast: Cast) -> None:
    there = enter("other")
    (row,) = sessions.of(cast["other"].id)
    assert enter("user").send(f"/account/sessions/{row.id}/end").status_code == 404
    assert is_in(there)


def test_ends_are_written_down(enter: Enter, cast: Cast) -> None:
    here = enter("user")
    leave_everywhere_else(here)
    change_password(here)
    with system_scope("test: look at the audit log"):
        rows = db.session.execute(select(AuditLog).order_by(AuditLog.id)).scalars().all()
    assert [(row.act, row.actor) for row in rows] == [
        (act, "user@example.com") for act in ("signed_out_elsewhere", "password_confirmed", "password_changed")
    ]


def test_posted_extras_change_nothing(enter: Enter, cast: Cast) -> None:
    extras = {"role": "super_admin", "email": "new@example.com", "can_manage_settings": "1", "is_active": ""}
    enter("user").send("/account/password", current=PASSWORD, new=NEW, **extras)
    db.session.expire_all()
    user = db.session.get_one(User, cast["user"].id)
    assert_has(user, role="user", email="user@example.com", can_manage_settings=False, is_active=True)


@pytest.mark.parametrize(("who", "company"), [("user", "Alfa"), ("admin", "Staff")])
def test_every_page_of_the_cabinet_leads_there(enter: Enter, who: str, company: str) -> None:
    browser = enter(who)
    page = browser.get("/dashboard" if who == "user" else "/admin").text
    assert 'class="who" href="/account"' in page
    assert company in browser.get("/account").text


AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Windows",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
    " Edg/142.0.0.0": "Edge on Windows",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 YaBrowser/25.10 Safari/537.36": (
        "Yandex Browser on Windows"
    ),
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0"
    " Safari/605.1.15": "Safari on Mac",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 CriOS/142.0 Mobile Safari/604.1": (
        "Chrome on iPhone"
    ),
    "Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 SamsungBrowser/27.0 Chrome/125.0 Mobile"
    " Safari/537.36": "Samsung Internet on Android",
    "Mozilla/5.0 (X11; Linux x86_64)": "Linux",
    "curl/8.5.0": "Unknown browser",
    "": "Unknown browser",
}


@pytest.mark.parametrize(("agent", "name"), AGENTS.items())
def test_browser_has_a_name_for_people(app: Flask, agent: str, name: str) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert browser_name(agent) == name
