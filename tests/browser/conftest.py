"""A real Chromium against the application on loopback."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, sync_playwright

from synkro.models import User
from tests.support.browser import visitors
from tests.support.browser.window import Window
from tests.support.serving import served

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]


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
    with served(app) as address:
        yield address


Opener = Callable[..., Window]


@pytest.fixture
def window(chromium: Browser, site: str) -> Iterator[Opener]:
    """Opens windows: width=, theme=, js=, locale=, address= (seen by a site that trusts a proxy)."""
    contexts = []

    def make(
        width: int = 1280, theme: str = "light", *, js: bool = True, locale: str = "ru-RU", address: str = "192.0.2.1"
    ) -> Window:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,  # type: ignore[arg-type]
            java_script_enabled=js,
            locale=locale,
            extra_http_headers={"X-Forwarded-For": address},
            timezone_id="Asia/Almaty",
            reduced_motion="reduce",
        )
        contexts.append(context)
        return Window(context, site)

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def enter(app: Flask, cast: dict[str, User], window: Opener) -> Callable[..., Window]:
    """A window behind the doors, as one of visitors.VISITORS. The doors themselves have tests of their own."""

    def come(who: str, **how: Any) -> Window:
        shown: Window = window(**how)
        if token := visitors.token_of(who, cast):
            shown.go_on_as(app, token)
        return shown

    return come


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Threads of a server that is ended while a browser still holds a connection leave their sockets to the system."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))
