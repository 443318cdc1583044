"""The whole way of a person, typed and clicked: invited, in, at work, out; and what is left of it opens nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from synkro.extensions import redis, remember, settings, vault
from synkro.models import User
from tests.browser.conftest import Opener
from tests.conftest import PASSWORD
from tests.support.browser.person import Person

NEW = "kettle anchor violet ninety"


@pytest.fixture
def people(app: Flask, site: str, window: Opener, cast: dict[str, User]) -> list[Person]:
    """A super administrator on the first day, and two people to come, each with a browser of their own."""
    remember(app, replace(settings(), base_url=site), vault(), redis())
    emails = (cast["admin"].email, "new@example.com", "junior@example.com")
    return [Person(window(locale="en-US"), email) for email in emails]


def test_a_person_of_a_company_is_invited_works_and_leaves(people: list[Person], window: Opener) -> None:
    chief, guest, _ = people
    chief.signs_in(PASSWORD)
    chief.sets_up_the_second_factor()
    chief.sees("Companies")
    guest.accepts(chief.invites(guest.email, "User", "alfa"), "Aigul", NEW)
    assert guest.window.path == "/dashboard"
    guest.page.get_by_role("link", name="Account").click()
    guest.follows("Set it up")
    guest.follows("Set up the second factor")
    guest.sets_up_the_second_factor()
    guest.sees("Second factor")
    guest.page.get_by_role("navigation", name="Sections").get_by_role("link", name="Overview").click()
    guest.page.get_by_role("navigation", name="Sections").get_by_role("link", name="Reports").click()
    guest.sees("Reports")

    thief = window(locale="en-US")
    thief.page.context.add_cookies(guest.page.context.cookies())  # type: ignore[arg-type]
    thief.open("/reports")
    assert thief.path == "/reports"
    guest.presses("Sign out")
    guest.sees("Sign in to Synkro")
    thief.open("/reports")
    assert thief.path == "/login"
    assert [one.faults for one in (chief.window, guest.window, thief)] == [[], [], []]


def test_staff_reach_nothing_before_the_second_factor(people: list[Person]) -> None:
    chief, _, junior = people
    chief.signs_in(PASSWORD)
    for path in ("/admin", "/admin/people", "/account"):
        chief.window.open(path)
        chief.sees("Set up the second factor")
    chief.sets_up_the_second_factor()
    junior.accepts(chief.invites(junior.email, "Junior administrator"), "Dana", NEW)
    junior.window.open("/admin/people")
    phone = junior.sets_up_the_second_factor()
    junior.sees("People")
    assert junior.page.get_by_role("link", name="Audit").count() == 0

    junior.presses("Sign out")
    junior.sees("Sign in to Synkro")
    junior.signs_in(NEW)
    junior.sees("Enter the code")
    junior.window.open("/admin")
    junior.sees("Enter the code")
    junior.types("Code", phone.code())
    junior.presses("Continue")
    junior.sees("Companies")
    assert [one.window.faults for one in (chief, junior)] == [[], []]
