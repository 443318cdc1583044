"""A part of a page that renews itself takes nothing out of the hands of the person who is in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from synkro.infra import queue
from synkro.jobs.engine.worker import work_on
from tests.support.browser.window import Window
from tests.support.practice import Practice

Enter = Callable[..., Window]
FOCUSED = "document.activeElement.id"


def next_swap(shown: Window) -> None:
    shown.page.evaluate("() => new Promise(done => document.addEventListener('htmx:afterSwap', done, {once: true}))")


def drawn(shown: Window) -> None:
    """The address ends in #state: the browser goes there once it has drawn the page."""
    shown.page.locator("#state:focus").wait_for(state="attached")


@pytest.fixture
def checked(app: Flask, practice: Practice, enter: Enter) -> Window:
    """The page of the AI, whose key works, in a window of somebody who may change it."""
    shown = enter("settings", locale="en-US")
    shown.open("/settings/ai")
    shown.page.locator("#check").get_by_role("button", name="Check", exact=True).click()
    work_on(app, queue.CHECKS, burst=True)
    shown.page.locator("#offer-model").wait_for()
    return shown


def test_focus_stays_in_a_state_that_changes_and_readers_hear_it(app: Flask, checked: Window) -> None:
    page = checked.page
    page.locator("#check").get_by_role("button", name="Check", exact=True).press("Enter")
    page.get_by_text("Being checked").first.wait_for()
    drawn(checked)
    work_on(app, queue.CHECKS, burst=True)
    page.locator("#live", has_text="answers").wait_for(state="attached")
    assert page.evaluate(FOCUSED) == "state"


def test_a_choice_that_is_not_saved_yet_survives(checked: Window) -> None:
    page = checked.page
    page.get_by_role("button", name="Show the package", exact=True).click()
    page.get_by_text("The package is being made").wait_for()
    drawn(checked)
    page.locator("#offer-model").focus()
    page.locator("#offer-model").select_option(index=2)
    chosen = page.locator("#offer-model").input_value()
    next_swap(checked)
    assert page.locator("#offer-model").input_value() == chosen
    assert page.evaluate(FOCUSED) == "offer-model"


def test_without_script_looking_again_asks_the_server(app: Flask, practice: Practice, enter: Enter) -> None:
    shown = enter("settings", locale="en-US", js=False)
    page = shown.page
    shown.open("/settings/supabase")
    page.locator("#check").get_by_role("button", name="Check", exact=True).click()
    page.get_by_role("link", name="Look again", exact=True).wait_for()
    work_on(app, queue.CHECKS, burst=True)
    page.get_by_role("link", name="Look again", exact=True).click()
    page.locator("#step-badge", has_text="Done").wait_for()
