"""Theme and language: for people, and for visitors before they are known."""

from __future__ import annotations

import pytest

from synkro.models import User
from tests.support.web_client import Browser, Enter

Cast = dict[str, User]


@pytest.mark.parametrize("who", ["nobody", "user", "admin"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_theme_is_kept(enter: Enter, who: str, theme: str) -> None:
    browser = enter(who)
    browser.send("/preferences/theme", theme=theme)
    assert f'data-theme="{theme}"' in browser.get("/no-such-page").text


def test_device_decides_first(client: Browser) -> None:
    assert "data-theme=" not in client.get("/").text


@pytest.mark.parametrize("who", ["nobody", "user", "admin"])
@pytest.mark.parametrize("language", ["ru", "en"])
def test_language_is_kept(enter: Enter, who: str, language: str) -> None:
    browser = enter(who)
    browser.send("/preferences/language", language=language)
    page = browser.get("/no-such-page", headers={"Accept-Language": "en" if language == "ru" else "ru"})
    assert f'<html lang="{language}"' in page.text


@pytest.mark.parametrize(("asked", "given"), [("en-GB,en", "en"), ("kk,ru;q=0.5", "kk"), ("fr", "ru"), ("", "ru")])
def test_browser_decides_the_first_language(client: Browser, asked: str, given: str) -> None:
    assert f'<html lang="{given}"' in client.get("/", headers={"Accept-Language": asked}).text


def test_person_takes_the_choice_to_another_browser(enter: Enter) -> None:
    enter("user").send("/preferences/theme", theme="dark")
    assert 'data-theme="dark"' in enter("user").get("/dashboard").text


def test_choice_of_one_is_not_that_of_another(enter: Enter) -> None:
    enter("user").send("/preferences/theme", theme="dark")
    assert "data-theme=" not in enter("settings").get("/dashboard").text


@pytest.mark.parametrize("value", ["", "blue", "dark'", "\x00"])
@pytest.mark.parametrize("name", ["theme", "language"])
def test_unknown_choice_is_refused(enter: Enter, name: str, value: str) -> None:
    assert enter("user").send(f"/preferences/{name}", **{name: value}).status_code == 422


@pytest.mark.parametrize(
    ("asked", "goes"), [("/reports?page=3", "/reports?page=3"), ("//evil.example", "/"), ("/logout", "/"), ("", "/")]
)
def test_comes_back_to_an_own_page(enter: Enter, asked: str, goes: str) -> None:
    assert enter("user").send("/preferences/theme", theme="dark", next=asked).location == goes
