"""Every page at both widths, in both themes: no accessibility fault, nothing cut off, a silent console."""

from __future__ import annotations

import pytest

from synkro.models import User
from synkro.services import reports
from tests.browser.conftest import THEMES, WIDTHS, Opener
from tests.practice import Practice

LOOKS = [(width, theme) for width in WIDTHS for theme in THEMES]


def assert_good(window: object, path: str) -> None:
    window.open(path)  # type: ignore[attr-defined]
    faults = window.violations()  # type: ignore[attr-defined]
    assert faults == [], f"{path}: {faults}"
    assert not window.overflows(), f"{path} is wider than the screen"  # type: ignore[attr-defined]
    assert window.said == [], f"{path}: {window.said}"  # type: ignore[attr-defined]


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_pages_before_sign_in(cast: dict[str, User], window: Opener, width: int, theme: str) -> None:
    shown = window(width, theme)
    for path in ("/", "/login"):
        assert_good(shown, path)


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_pages_of_a_company_without_reports(cast: dict[str, User], window: Opener, width: int, theme: str) -> None:
    shown = window(width, theme)
    shown.sign_in(cast["user"])
    for path in ("/dashboard", "/reports", "/style", "/account", "/confirm?what=password"):
        assert_good(shown, path)


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_pages_of_staff(cast: dict[str, User], window: Opener, width: int, theme: str) -> None:
    shown = window(width, theme)
    shown.sign_in(cast["admin"])
    assert_good(shown, "/admin")


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_pages_of_a_company_with_a_report(
    practice: Practice, cast: dict[str, User], window: Opener, width: int, theme: str
) -> None:
    run = practice.run()
    shown = window(width, theme)
    shown.sign_in(cast["user"])
    for path in ("/dashboard", "/reports", f"/runs/{run.id}", f"/reports/{reports.id_for(run.id)}"):
        assert_good(shown, path)
