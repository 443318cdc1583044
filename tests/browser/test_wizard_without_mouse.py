"""All six steps of the wizard are taken by the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator

from synkro.integrations.supabase.client import schema_sql
from tests.support import processes
from tests.support.browser.newcomer import Newcomer
from tests.support.browser.window import Window
from tests.support.empty_company import empty_company as empty_company  # noqa: PLC0414 (fixtures of theirs)
from tests.support.empty_company import states
from tests.support.empty_company import vendors as vendors  # noqa: PLC0414
from tests.support.practice import Practice

Enter = Callable[..., Window]
MOST_STOPS = 120
IS_FOCUSED = "one => one === document.activeElement"
IS_OF_GROUP = "one => one.name === document.activeElement.name && document.activeElement.type === 'radio'"


class Typist(Newcomer):
    """Has no mouse."""

    def goes_to(self, control: Locator, reached: str = IS_FOCUSED) -> None:
        for _ in range(MOST_STOPS):
            if control.evaluate(reached):
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"Tab does not lead to {control}")

    def fills(self, field: Locator, text: str) -> None:
        self.goes_to(field)
        if field.get_attribute("type") == "time":
            self.page.keyboard.type(f"{text}AM")
        else:
            self.page.keyboard.press("Control+A")
            self.page.keyboard.press("Delete")
            self.page.keyboard.insert_text(text)
        assert field.input_value() == text

    def acts_on(self, control: Locator) -> None:
        self.goes_to(control)
        self.page.keyboard.press("Enter")

    def ticks(self, box: Locator) -> None:
        if box.get_attribute("type") == "checkbox":
            self.goes_to(box)
            self.page.keyboard.press("Space")
            return
        self.goes_to(box, IS_OF_GROUP)
        self.presses_until("ArrowRight", box.is_checked)

    def picks(self, field: Locator, value: str) -> None:
        self.goes_to(field)
        self.presses_until("ArrowDown", lambda: field.input_value() == value)

    def presses_until(self, key: str, is_right: Callable[[], bool]) -> None:
        for _ in range(MOST_STOPS):
            if is_right():
                return
            self.page.keyboard.press(key)
        pytest.fail(f"{key} does not lead there")


def test_all_steps_by_the_keyboard(vendors: Practice, enter: Enter, var_dir: Path) -> None:
    typist = Typist(enter("settings", locale="en-US"), vendors)
    vendors.control("supabase", fault="run_sql", value=schema_sql())
    with processes.worker(processes.beside(vendors.urls, var_dir), var_dir):
        typist.takes_all_steps(vendors.urls["supabase"])
    assert set(states(vendors.tenant).values()) == {"done"}
    assert typist.window.faults == []
