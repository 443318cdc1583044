"""Somebody who has never seen the product connects six services and makes the first report."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Locator

from synkro.sandbox.amocrm.oauth import long_lived_token
from tests.support.browser.person import Person
from tests.support.browser.window import Window
from tests.support.practice import Practice

DONE = 300_000
"""Milliseconds for a worker to do what was asked for."""


class Newcomer(Person):
    """Reads English. keystroke: seconds a letter; keys are pasted. look: seconds to find the next thing."""

    def __init__(
        self, window: Window, practice: Practice, *, keystroke: float = 0, look: float = 0, script: bool = True
    ) -> None:
        super().__init__(window, "")
        self.practice = practice
        self.keystroke, self.look = keystroke, look
        self.script = script

    def types(self, label: str, text: str) -> None:
        time.sleep(self.look)
        field = self.page.get_by_label(label, exact=True)
        self.fills(field, "")
        field.press_sequentially(text, delay=self.keystroke * 1000)

    def pastes(self, label: str, text: str) -> None:
        time.sleep(self.look)
        self.fills(self.page.get_by_label(label, exact=True), text)

    def presses(self, name: str) -> None:
        time.sleep(self.look)
        self.acts_on(self.page.get_by_role("button", name=name, exact=True))

    def follows(self, name: str) -> None:
        self.acts_on(self.page.get_by_role("link", name=name, exact=True).first)

    def fills(self, field: Locator, text: str) -> None:
        field.fill(text)

    def acts_on(self, control: Locator) -> None:
        """A button or a link."""
        control.click()

    def ticks(self, box: Locator) -> None:
        box.check(force=True)

    def picks(self, field: Locator, value: str) -> None:
        field.select_option(value)

    def waits_for(self, badge: str) -> None:
        """Until the page says of the step what it should."""
        self.until(self.page.locator("#step-badge", has_text=re.compile(badge)))

    def waits_to_press(self, name: str) -> None:
        self.until(self.page.get_by_role("button", name=name, exact=True))
        self.presses(name)

    def until(self, seen: Locator) -> None:
        """A page with script changes by itself; without, one presses "Look again"."""
        ends = time.monotonic() + DONE / 1000
        while not seen.count() or not seen.is_visible():
            assert time.monotonic() < ends, f"it never came, the page says: {self.page.locator('main').inner_text()}"
            time.sleep(0.5)
            if not self.script:
                self.page.reload()

    def agrees_and_writes(self, sentence: str) -> None:
        self.until(self.page.get_by_label(sentence))
        self.ticks(self.page.get_by_label(sentence))
        self.presses("Write to Supabase")
        self.waits_for("Done|remark")

    def goes_on(self, to: str) -> None:
        self.acts_on(self.page.locator("#ways-on").get_by_role("link", name=f"Next: {to}"))

    def connects_supabase(self, url: str) -> None:
        keys = self.practice.world.keys
        self.sees("Connect Supabase")
        self.types("Project URL", url)
        self.pastes("Publishable key (or anon)", keys.supabase_publishable_key)
        self.pastes("Secret key (or service_role)", keys.supabase_secret_key)
        self.presses("Save and check")
        self.waits_for("Done")
        self.goes_on("amoCRM")

    def connects_amocrm(self) -> None:
        self.sees("Connect amoCRM")
        self.types("Account address", self.practice.world.subdomain)
        self.pastes("Long-lived token", long_lived_token(self.practice.world))
        self.presses("Save and check")
        self.waits_to_press("Load three deals")
        self.agrees_and_writes("These are deals of our company")
        self.goes_on("Radist.Online")

    def connects_radist(self) -> None:
        self.sees("Connect Radist.Online")
        self.pastes("API key", self.practice.world.radist_key)
        self.presses("Save and check")
        self.waits_to_press("Find the dialogs")
        self.agrees_and_writes("These are dialogs of our company")
        self.goes_on("AI")

    def connects_the_ai(self) -> None:
        self.sees("Connect AI")
        self.pastes("API key", self.practice.world.keys.gemini_key)
        self.presses("Save and check")
        self.until(self.page.locator("#offer-model"))
        self.picks(self.page.locator("#offer-model"), "gemini-3.8-flash")
        self.presses("Save the choice")
        self.waits_for("Done")
        self.goes_on("Telegram")

    def connects_telegram(self) -> None:
        self.sees("Connect Telegram")
        self.pastes("Bot token", self.practice.world.keys.telegram_token)
        self.presses("Save and check")
        line = self.page.locator("#telegram-line")
        self.until(line)
        self.says_in_the_group(line.inner_text())
        self.presses("Find the group")
        found = self.page.get_by_role("button", name=re.compile("^Send reports here"))
        self.until(found.first)
        self.acts_on(found.first)
        self.waits_to_press("Send a test message")
        self.waits_for("Done")
        self.goes_on("Schedule")

    def says_in_the_group(self, text: str) -> None:
        """In Telegram, which is not ours."""
        self.practice.control("telegram", fault="say", value={"text": text})

    def sets_the_schedule(self) -> None:
        self.sees("Schedule")
        self.ticks(self.page.get_by_label("Every day", exact=True))
        self.pastes("Local time", "09:30")
        self.presses("Save the schedule")
        self.waits_for("Done")

    def makes_the_first_report(self) -> None:
        self.window.open("/dashboard")
        self.presses("Make a report")
        self.until(self.page.get_by_role("link", name="Open the report"))
        self.follows("Open the report")
        self.page.get_by_role("heading", level=1).wait_for()

    def comes_from_nothing_to_a_report(self, supabase_url: str) -> None:
        """Behind the doors, with an empty company."""
        self.takes_all_steps(supabase_url)
        self.makes_the_first_report()

    def takes_all_steps(self, supabase_url: str) -> None:
        self.window.open("/dashboard")
        self.reads("A few steps are left")
        self.follows("Continue: Supabase")
        self.connects_supabase(supabase_url)
        self.connects_amocrm()
        self.connects_radist()
        self.connects_the_ai()
        self.connects_telegram()
        self.sets_the_schedule()
