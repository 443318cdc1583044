"""A real Chromium against the application on loopback."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from werkzeug.serving import make_server

from synkro.models import User
from tests.browser import axe
from tests.conftest import PASSWORD, ROOT

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
WIDTHS = (1280, 360)
THEMES = ("light", "dark")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if os.environ.get("BROWSER") == "skip":
        pytest.skip("BROWSER=skip")
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("Chromium is missing: install the package 'chromium', or set BROWSER=skip")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """The address of the application, served by threads as by gunicorn."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Window:
    """One browser window: its page and everything that its console has said."""

    def __init__(self, context: BrowserContext, site: str) -> None:
        self.site = site
        self.page: Page = context.new_page()
        self.said: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        self.said.append(message.text)

    def open(self, path: str) -> None:
        self.page.goto(self.site + path)

    def sign_in(self, person: User) -> None:
        self.open("/login")
        self.page.fill("input[name=email]", person.email)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.press("input[name=password]", "Enter")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def violations(self) -> list[str]:
        """What axe finds: rule, and the places."""
        self.page.evaluate(axe.source(ROOT / "var" / "cache"))
        found = self.page.evaluate("rules => axe.run({runOnly: rules})", axe.RULES)
        return [f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in found["violations"]]

    def overflows(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


Opener = Callable[..., Window]


@pytest.fixture
def window(chromium: Browser, site: str) -> Iterator[Opener]:
    """Opens windows: width=, theme=, js=."""
    contexts = []

    def make(width: int = 1280, theme: str = "light", *, js: bool = True) -> Window:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,  # type: ignore[arg-type]
            java_script_enabled=js,
            locale="ru-RU",
            timezone_id="Asia/Almaty",
            reduced_motion="reduce",
        )
        contexts.append(context)
        return Window(context, site)

    yield make
    for context in contexts:
        context.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Threads of a server that is ended while a browser still holds a connection leave their sockets to the system."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))
