"""The schedule by the keyboard alone and without script; what it shows is good in every look."""

from __future__ import annotations

from collections.abc import Callable

from synkro.models import Tenant
from synkro.services.reports import schedules
from synkro.tenancy import tenant_scope
from tests.support.browser.window import Window

Enter = Callable[..., Window]


def test_a_schedule_is_chosen_by_the_keyboard_without_script(tenant: Tenant, enter: Enter) -> None:
    shown = enter("settings", js=False, width=360, locale="en-US")
    shown.open("/settings/automation")
    page = shown.page
    page.get_by_label("By hand only").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.get_by_label("Local time").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**#next")
    with tenant_scope(tenant.id):
        automation = schedules.of_tenant()
        assert automation is not None
        assert automation.kind == "weekly"
    assert page.locator("#next li").count() == 3


def test_a_refused_schedule_is_good_in_every_look(enter: Enter) -> None:
    shown = enter("settings", locale="en-US")
    shown.open("/settings/automation")
    assert shown.complaints() == []
    shown.page.get_by_role("group", name="Tuesday").get_by_label("Work ends").fill("07:00")
    shown.page.get_by_label("Local time").fill("")
    shown.page.get_by_role("button", name="Save the schedule").click()
    shown.page.get_by_text("The end must be after the start").wait_for()
    assert shown.complaints() == []
