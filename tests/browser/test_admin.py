"""Pages of staff in a browser: whole, readable and usable, with and without script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from synkro.models import Tenant, User
from synkro.services import people
from synkro.tenancy import db
from tests.browser.conftest import Opener, Window
from tests.browser.test_pages import LOOKS, assert_good

Cast = dict[str, User]
SignIn = Callable[[FlaskClient, User], FlaskClient]


@pytest.fixture
def as_admin(app: Flask, cast: Cast, sign_in: SignIn) -> Callable[[Window], Window]:
    """Past the door: its own tests try the password and the code."""

    def enter(window: Window) -> Window:
        cookie = sign_in(app.test_client(), cast["admin"]).get_cookie("session")
        assert cookie is not None
        window.page.context.add_cookies([{"name": "session", "value": cookie.value, "url": window.site}])
        return window

    return enter


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_pages_of_companies_and_people(
    cast: Cast, tenant: Tenant, window: Opener, as_admin: Callable[[Window], Window], width: int, theme: str
) -> None:
    shown = as_admin(window(width, theme))
    for path in (
        "/admin",
        "/admin?q=nothing",
        "/admin/companies/new",
        f"/admin/companies/{tenant.id}",
        "/admin/people",
        "/admin/people?q=nobody",
        "/admin/people/new?company=alfa",
        f"/admin/people/{cast['user'].id}",
    ):
        assert_good(shown, path)


@pytest.mark.parametrize("js", [True, False], ids=["script", "no script"])
def test_somebody_is_invited_and_then_disabled(
    cast: Cast, window: Opener, as_admin: Callable[[Window], Window], *, js: bool
) -> None:
    shown = as_admin(window(js=js))
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


def test_a_dialog_that_is_left_changes_nothing(
    cast: Cast, window: Opener, as_admin: Callable[[Window], Window]
) -> None:
    shown = as_admin(window())
    shown.open(f"/admin/people/{cast['user'].id}")
    shown.page.click("a[href='#ask-delete']")
    shown.page.keyboard.press("Escape")
    assert not shown.page.is_visible("#ask-delete")
    people.rename(cast["admin"], cast["user"].id, "Still here")
