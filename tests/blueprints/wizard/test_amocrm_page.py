"""The page of amoCRM: what a person has to know before, what the check may claim, and when a token ends."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from synkro.sandbox.amocrm.oauth import long_lived_token
from synkro.services.connections import checks, integrations
from synkro.tenancy import tenant_scope
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.web_client import Enter

PAGE = "/settings/amocrm"
DAY = 86_400


def checked(practice: Practice, **knobs: object) -> checks.Check:
    practice.control("amocrm", set=knobs)
    with tenant_scope(practice.tenant.id):
        return checks.run("amocrm")


def ending(practice: Practice, ends: float) -> checks.Check:
    """Checked with a token that ends then (unix seconds)."""
    with tenant_scope(practice.tenant.id):
        integrations.save("amocrm", {"token": long_lived_token(practice.world, int(ends))}, actor="test")
    return checked(practice, long_lived_ends=int(ends))


@pytest.mark.parametrize("way", ["token", "oauth"])
def test_both_guides_say_what_an_own_integration_costs(practice: Practice, enter: Enter, way: str) -> None:
    assert practice.tenant
    page = enter("settings").get(f"{PAGE}?way={way}").text
    assert page.count("gives up the technical support of amoCRM for good") == 1


@pytest.mark.parametrize("rights", ["external", "own"])
def test_hidden_names_say_nothing_about_who_gave_the_token(practice: Practice, enter: Enter, rights: str) -> None:
    assert checked(practice, token_rights=rights).params["managers"] is False
    page = enter("settings").get(PAGE).text
    assert "Not an administrator" not in page
    assert "amoCRM does not show them to this token" in page


def test_what_is_worth_knowing_stands_in_the_state_of_the_connection(practice: Practice, enter: Enter) -> None:
    assert checked(practice, filter_on=False, token_rights="external").colour == "green"
    state = enter("settings").get(f"{PAGE}/state").text
    told = "Deals are read in another way, slower. amoCRM does not show the names of the managers to this token."
    assert told in state


def test_the_end_of_a_token_is_shown_in_the_zone_of_the_company(practice: Practice, enter: Enter) -> None:
    ends = datetime(2030, 12, 31, 21, 30, tzinfo=UTC)
    assert ending(practice, ends.timestamp()).colour == "green"
    shown = ends.astimezone(ZoneInfo(practice.tenant.timezone))
    assert shown.year == 2031
    assert f"1 Jan {shown.year}, {shown:%H:%M}" in enter("settings").get(PAGE).text


@pytest.mark.parametrize(
    ("left", "colour", "code"),
    [
        (timedelta(days=14, minutes=5), "green", "amocrm_ok"),
        (timedelta(days=14, minutes=-5), "yellow", "amocrm_token_ends"),
        (timedelta(minutes=5), "yellow", "amocrm_token_ends"),
    ],
    ids=str,
)
def test_two_weeks_before_its_end_a_token_turns_yellow(
    practice: Practice, left: timedelta, colour: str, code: str
) -> None:
    check = ending(practice, time.time() + left.total_seconds())
    assert_has(check, colour=colour, code=code)


def test_a_token_near_its_end_says_how_many_days_are_left(practice: Practice, enter: Enter) -> None:
    ending(practice, time.time() + 3 * DAY + 600)
    page = enter("settings").get(PAGE).text
    assert "Days until the token ends: 3." in page
    assert "Token ends" in page
