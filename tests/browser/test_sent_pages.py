"""Pages that answer to something sent: no address of their own leads to them, and they look as good as the others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from synkro.models import Tenant, User
from tests.support.browser.window import Window
from tests.support.rows import make_report

Enter = Callable[..., Window]
TYPE_INTO = "(element, text) => element.value = text"


def test_refused_sign_in(cast: dict[str, User], enter: Enter) -> None:
    shown = enter("nobody")
    shown.open("/login")
    shown.page.click("main button.btn--primary")
    shown.page.wait_for_selector("#email-error")
    assert shown.complaints() == []
    shown.page.fill("#email", "nobody@example.com")
    shown.page.fill("#password", "a wrong one")
    shown.page.click("main button.btn--primary")
    shown.page.wait_for_selector(".alert--err")
    assert shown.complaints() == []


def test_form_that_was_open_for_too_long(tenant: Tenant, enter: Enter) -> None:
    report_id = make_report(tenant)
    shown = enter("user")
    shown.open(f"/reports/{report_id}")
    shown.page.fill("#comment-text", "What was typed. " * 40)
    shown.page.eval_on_selector("form:has(#comment-text) [name=csrf_token]", TYPE_INTO, "old")
    shown.page.click("form:has(#comment-text) button")
    shown.page.wait_for_selector("#ex-h")
    assert shown.complaints() == []


def test_secret_in_a_form_that_was_open_for_too_long(cast: dict[str, User], enter: Enter) -> None:
    shown = enter("user")
    shown.open("/account")
    shown.page.fill("#current", "not kept")
    shown.page.eval_on_selector("form:has(#current) [name=csrf_token]", TYPE_INTO, "old")
    shown.page.context.clear_cookies()
    shown.page.click("form:has(#current) button.btn--primary")
    shown.page.wait_for_selector("#ex-h")
    assert shown.complaints() == []


def test_recovery_codes(cast: dict[str, User], enter: Enter) -> None:
    shown = enter("guarded")
    shown.open("/account/second-factor")
    shown.page.click("a[href='#renew']")
    shown.page.click("#renew button")
    shown.page.wait_for_selector("#sf-codes")
    assert shown.complaints() == []


def test_link_of_an_invitation(cast: dict[str, User], enter: Enter) -> None:
    shown = enter("admin")
    shown.open("/admin/people/new")
    shown.page.fill("#email", "somebody.with.a.rather.long.address@example.com")
    shown.page.fill("#company", "no-such-company")
    shown.page.click("main form button.btn--primary")
    shown.page.wait_for_selector("#company-error")
    assert shown.complaints() == []
    shown.page.fill("#company", "alfa")
    shown.page.click("main form button.btn--primary")
    shown.page.wait_for_selector("#link")
    assert shown.complaints() == []


@pytest.mark.parametrize("damage", ["label", "grey", "wide", "error"])
def test_the_check_sees_what_is_wrong(cast: dict[str, User], enter: Enter, damage: str) -> None:
    shown = enter("nobody")
    shown.open("/login")
    shown.page.evaluate(DAMAGES[damage])
    assert shown.complaints() != []


DAMAGES = {
    "label": "document.querySelector('label[for=email]').remove()",
    "grey": "document.querySelector('h1').style.color = '#999'",
    "wide": "document.querySelector('h1').style.width = '2000px'",
    "error": "console.error('something broke')",
}
