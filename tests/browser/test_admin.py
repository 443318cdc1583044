"""Acts of staff in a browser, with and without script."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from synkro.models import User
from synkro.tenancy import db
from tests.support.browser.window import Window


@pytest.mark.parametrize("js", [True, False], ids=["script", "no script"])
def test_somebody_is_invited_and_then_disabled(
    cast: dict[str, User], enter: Callable[..., Window], *, js: bool
) -> None:
    shown = enter("admin", js=js)
    page = shown.page
    shown.open("/admin/people/new")
    page.fill("#email", "new@example.com")
    page.fill("#company", "alfa")
    page.click("main form button.btn--primary")
    assert "http" in page.inner_text("#link")
    page.click("a[href='#ask-disable']")
    page.click("#ask-disable button")
    page.wait_for_selector("main form[action$='/enable']")
    made = db.session.query(User).filter_by(email="new@example.com").one()
    assert not made.is_active
