"""One browser window: its page, what its console says, and what is wrong with what it shows."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from flask import Flask
from playwright.sync_api import BrowserContext, ConsoleMessage, Page

from synkro.blueprints.auth.cookie import TOKEN
from tests.conftest import ROOT
from tests.support.browser import axe

WIDTHS = (1280, 360)
THEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
EXPECTED = (
    "Failed to load resource: the server responded",
    "Clear-Site-Data header",
    "Autofocus processing was blocked",
)
WAIT = 60_000
"""Milliseconds of patience; a busy machine needs them."""


class Window:
    """One browser window: its page and everything that its console has said."""

    def __init__(self, context: BrowserContext, site: str) -> None:
        self.site = site
        context.set_default_timeout(WAIT)
        self.page: Page = context.new_page()
        self.said: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        self.said.append(message.text)

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    @property
    def faults(self) -> list[str]:
        """What the console has said, save for what it notes of refusals, sign-outs and hands quicker than autofocus."""
        return [text for text in self.said if not text.startswith(EXPECTED)]

    def open(self, path: str) -> None:
        self.page.goto(self.site + path)

    def go_on_as(self, app: Flask, token: str) -> None:
        """With the cookie of a session: for tests of what lies behind the doors."""
        client = app.test_client()
        with client.session_transaction() as session:
            session[TOKEN] = token
        cookie = client.get_cookie("session")
        assert cookie is not None
        self.page.context.add_cookies([{"name": "session", "value": cookie.value, "url": self.site}])

    def complaints(self) -> list[str]:
        """What is wrong with the page that is open, at both widths and in both themes, and what the console said."""
        self.page.evaluate(axe.source(ROOT / "var" / "cache"))
        found = [f"console: {text}" for text in self.faults]
        self.said.clear()
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            if self.overflows():
                found.append(f"wider than {width}")
            for theme in THEMES:
                self.page.emulate_media(color_scheme=theme)
                found += [f"{width} {theme}: {text}" for text in self.violations(axe.RULES_OF[theme])]
        return found

    def violations(self, wanted: dict[str, object]) -> list[str]:
        """What axe finds: rule, and the places."""
        found = self.page.evaluate("only => axe.run({runOnly: only, resultTypes: ['violations']})", wanted)
        return [f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in found["violations"]]

    def overflows(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
