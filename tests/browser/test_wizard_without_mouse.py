"""A service is connected, looked into and written by the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from synkro import queue
from synkro.jobs.worker import work_on
from tests.browser.window import Window
from tests.practice import Practice

Enter = Callable[..., Window]
FOCUSED = "document.activeElement.id || document.activeElement.innerText.trim()"
MOST_STOPS = 60


def go_to(shown: Window, what: str) -> None:
    """By Tab, to the control of this id or with these words in it."""
    for _ in range(MOST_STOPS):
        shown.page.keyboard.press("Tab")
        if what in shown.page.evaluate(FOCUSED).splitlines():
            return
    pytest.fail(f"Tab does not lead to {what}")


def press(shown: Window, what: str) -> None:
    go_to(shown, what)
    with shown.page.expect_navigation():
        shown.page.keyboard.press("Enter")


def test_all_of_a_step_by_the_keyboard(app: Flask, practice: Practice, enter: Enter) -> None:
    shown = enter("settings", locale="en-US")
    shown.open("/settings")
    press(shown, "amoCRM")
    press(shown, "Save and check")
    work_on(app, queue.CHECKS, burst=True)
    shown.page.get_by_role("button", name="Load three deals").wait_for()
    press(shown, "Load three deals")
    work_on(app, queue.TRIALS, burst=True)
    shown.page.locator("#own-deals").wait_for()
    go_to(shown, "own-deals")
    shown.page.keyboard.press("Space")
    press(shown, "Write to Supabase")
    work_on(app, queue.TRIALS, burst=True)
    shown.page.locator("#step-badge", has_text="Done").wait_for()
    assert shown.faults == []
