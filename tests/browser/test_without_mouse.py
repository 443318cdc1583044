"""Dangerous acts by the keyboard alone, and all of it without script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from synkro.models import User, WebSession
from synkro.tenancy import db, system_scope
from tests.browser.conftest import Opener
from tests.conftest import PASSWORD
from tests.support import factor
from tests.support.browser.person import Person
from tests.support.browser.window import Window

Enter = Callable[..., Window]
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
FOCUSED = "document.activeElement.innerText.trim()"


def is_active(person: User) -> bool:
    db.session.expire_all()
    return db.session.get_one(User, person.id).is_active


def tab_to(window: Window, text: str) -> None:
    for _ in range(40):
        window.page.keyboard.press("Tab")
        if window.page.evaluate(FOCUSED) == text:
            return
    pytest.fail(f"Tab does not lead to {text}")


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_a_dialog_by_the_keyboard(cast: dict[str, User], enter: Enter, key: str) -> None:
    shown = enter("admin", locale="en-US")
    page = shown.page
    shown.open(f"/admin/people/{cast['user'].id}")
    tab_to(shown, "Disable")
    page.keyboard.press(key)
    dialog = page.get_by_role("dialog", name="Disable this person?")
    dialog.wait_for()
    assert page.evaluate(FOCUSED) == "Cancel"  # a second press of the same key does no harm
    assert shown.complaints() == []
    seen = set()
    for _ in range(6):
        page.keyboard.press("Tab")
        seen.add(page.evaluate(FOCUSED) if page.evaluate("document.activeElement !== document.body") else "")
    assert seen - {""} == {"Cancel", "Disable"}
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert page.evaluate(FOCUSED) == "Disable"
    assert is_active(cast["user"])
    page.keyboard.press(key)
    tab_to(shown, "Disable")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Enable", exact=True).wait_for()
    assert not is_active(cast["user"])


def test_the_first_tab_leads_past_the_navigation(cast: dict[str, User], enter: Enter) -> None:
    shown = enter("admin", locale="en-US")
    shown.open("/admin/people")
    shown.page.keyboard.press("Tab")
    assert shown.page.evaluate(FOCUSED) == "Skip to the content"
    shown.page.keyboard.press("Enter")
    shown.page.keyboard.press("Tab")
    assert shown.page.evaluate(FOCUSED) == "Invite"


def test_all_of_it_without_script(cast: dict[str, User], window: Opener) -> None:
    factor.enrolled(cast["admin"])
    chief = Person(window(locale="en-US", js=False), cast["admin"].email)
    chief.signs_in(PASSWORD)
    chief.types("Code", factor.code_at(cast["admin"], datetime.now(UTC)))
    chief.presses("Continue")
    chief.sees("Companies")
    chief.window.open(f"/admin/people/{cast['user'].id}")
    chief.page.get_by_role("button", name="Disable", exact=True).click()
    chief.answers("Disable this person?", "Cancel")
    assert is_active(cast["user"])
    chief.presses("Disable")
    chief.answers("Disable this person?", "Disable")
    chief.reads("Disabled and signed out everywhere.")
    assert not is_active(cast["user"])


def test_who_one_is_is_asked_again_without_script(cast: dict[str, User], enter: Enter) -> None:
    chief = Person(enter("admin", locale="en-US", js=False), cast["admin"].email)
    with system_scope("test: the password was typed long ago"):
        db.session.execute(update(WebSession).values(confirmed_at=LONG_AGO))
        db.session.commit()
    chief.window.open(f"/admin/people/{cast['user'].id}")
    chief.presses("Delete")
    chief.answers("Delete this person?", "Delete")
    chief.sees("Confirm that it is you")
    chief.types("Password", PASSWORD)
    chief.presses("Confirm")
    chief.sees("User")
    chief.presses("Delete")
    chief.answers("Delete this person?", "Delete")
    chief.reads("The person is deleted.")
