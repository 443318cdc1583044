"""What a person does at the doors: reads headings, types into labelled fields, presses buttons, follows links."""

from __future__ import annotations

import re
import time

import pyotp

from tests.support.browser.window import Window

STEP = 30
"""Seconds that a code of an authenticator app lives."""


class Phone:
    """An authenticator app whose owner never types the same code twice: the next one counts already."""

    def __init__(self, secret: str) -> None:
        self._totp = pyotp.TOTP(secret)
        self._last = 0

    def code(self) -> str:
        self._last = max(int(time.time()) // STEP, self._last + 1)
        return self._totp.at(self._last * STEP)


class Person:
    """Reads English."""

    def __init__(self, window: Window, email: str) -> None:
        self.window = window
        self.page = window.page
        self.email = email

    def sees(self, heading: str) -> None:
        self.page.get_by_role("heading", name=heading, level=1, exact=True).wait_for()

    def reads(self, text: str | re.Pattern[str]) -> None:
        self.page.get_by_text(text).first.wait_for()

    def types(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).fill(text)

    def chooses(self, label: str, option: str) -> None:
        self.page.get_by_role("combobox", name=label, exact=True).select_option(label=option)

    def presses(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def answers(self, question: str, name: str) -> None:
        """A dialog."""
        self.page.get_by_role("dialog", name=question).get_by_role("button", name=name, exact=True).click()

    def follows(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def signs_in(self, password: str) -> None:
        self.window.open("/login")
        self.sees("Sign in to Synkro")
        self.types("E-mail", self.email)
        self.types("Password", password)
        self.presses("Sign in")

    def sets_up_the_second_factor(self) -> Phone:
        self.sees("Set up the second factor")
        phone = Phone(self.page.locator("code.copy__text").inner_text())
        self.types("Code", phone.code())
        self.presses("Switch on")
        self.sees("Save your recovery codes")
        assert self.page.locator("ol.copy__text li").count() == 10
        self.follows("I have saved them")
        return phone

    def accepts(self, link: str, name: str, password: str) -> None:
        """An invitation, up to the sign-in page that knows the address already."""
        self.page.goto(link)
        self.sees("Welcome to Synkro")
        self.types("Your name", name)
        self.chooses("Language", "English")
        self.types("Password", password)
        self.presses("Save and go to the sign-in")
        self.sees("Sign in to Synkro")
        assert self.page.get_by_label("E-mail", exact=True).input_value() == self.email
        self.types("Password", password)
        self.presses("Sign in")

    def invites(self, email: str, rank: str, company: str = "") -> str:
        """The link that is shown where no mail is sent."""
        self.page.get_by_role("navigation", name="Sections").get_by_role("link", name="People").click()
        self.sees("People")
        self.follows("Invite")
        self.sees("Invite somebody")
        self.types("E-mail", email)
        self.chooses("Role", rank)
        self.types("Company", company)
        self.presses("Invite")
        self.reads("Pass this link on")
        return self.page.locator("#link").inner_text()
