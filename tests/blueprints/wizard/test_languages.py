"""Which language a page of the settings speaks: the person's choice, else what the browser asks for, else Russian."""

from __future__ import annotations

import re

import pytest

from synkro.models import Tenant, User
from synkro.tenancy import db
from tests.support.web_client import Enter

PATHS = ("/settings", "/settings/amocrm", "/settings/automation")
SAYS = {"ru": "Отчёты", "kk": "Есептер", "en": "Reports"}


def spoken(page: str) -> tuple[str, str]:
    """(language that the page claims, its word for Reports in the navigation)."""
    claimed = re.search(r'<html lang="(\w+)"', page)
    return (claimed[1] if claimed else "", next((word for word in SAYS.values() if f">{word}<" in page), ""))


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("kk-KZ", "kk"),
        ("kk-Latn", "kk"),
        ("kk-Cyrl-KZ,ru;q=0.8", "kk"),
        ("ru;q=0.3,kk-KZ;q=0.7", "kk"),
        ("kk;q=0,en", "en"),
        ("ru", "ru"),
        ("en-US,en;q=0.9", "en"),
        ("de", "ru"),
        ("de-AT,kk;q=0.5,en;q=0.4", "kk"),
        ("", "ru"),
        ("*", "ru"),
        ("xx;q=bad,,;", "ru"),
    ],
)
def test_the_browser_is_answered_in_its_language_or_in_russian(
    enter: Enter, tenant: Tenant, asked: str, language: str
) -> None:
    browser = enter("settings")
    pages = [browser.get(path, headers={"Accept-Language": asked}).text for path in PATHS]
    assert {spoken(page) for page in pages} == {(language, SAYS[language])}


@pytest.mark.parametrize("language", SAYS)
def test_a_person_who_has_chosen_is_not_asked_again(enter: Enter, cast: dict[str, User], language: str) -> None:
    cast["settings"].language = language
    db.session.commit()
    page = enter("settings").get("/settings", headers={"Accept-Language": "de, en, ru, kk"}).text
    claimed, word = spoken(page)
    assert claimed == language
    assert word == SAYS[language]
