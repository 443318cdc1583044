"""The page of Radist: dialogs are shown masked, an example can be asked for, nothing secret is there."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from synkro.infra import queue
from synkro.jobs.engine.worker import work_on
from synkro.services.connections import checks
from synkro.tenancy import tenant_scope
from tests.support.practice import Practice
from tests.support.radist_dialogs import deals_of, spoken
from tests.support.web_client import Enter

TRY = "/settings/radist/try/sample"


@pytest.fixture(autouse=True)
def checked(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synkro.jobs.connections.acts.radist.clock", SimpleNamespace(now=lambda: practice.world.now))
    with tenant_scope(practice.tenant.id):
        for kind in ("supabase", "amocrm", "radist"):
            assert checks.run(kind).colour == "green"


def test_dialogs_are_shown_with_masked_phones_and_can_be_written(practice: Practice, enter: Enter) -> None:
    chats = spoken(practice)[:3]
    deals_of(practice, chats)
    browser = enter("settings")
    assert browser.send(TRY).status_code == 303
    work_on(practice.app, queue.TRIALS, burst=True)
    page = browser.get("/settings/radist").text
    for chat in chats:
        assert f"••• {(chat.phone or '')[-4:-2]} {(chat.phone or '')[-2:]}" in page
        assert (chat.phone or "")[1:] not in page
        assert chat.messages[-1].text in page
    assert "Will be written: chats: 3" in page
    assert practice.world.radist_key not in page
    browser.send("/settings/radist/try/write")
    work_on(practice.app, queue.TRIALS, burst=True)
    assert "Written and counted in your Supabase" in browser.get("/settings/radist").text


def test_an_example_is_offered_where_no_deal_has_a_chat(practice: Practice, enter: Enter) -> None:
    deals_of(practice, [None])
    browser = enter("settings")
    browser.send(TRY)
    work_on(practice.app, queue.TRIALS, burst=True)
    page = browser.get("/settings/radist").text
    assert 'name="newest"' in page
    assert "may belong to people who have no deal" in page
    assert "Will be written" not in page
    browser.send(TRY, newest="1")
    work_on(practice.app, queue.TRIALS, burst=True)
    page = browser.get("/settings/radist").text
    assert page.count("An example, not matched to a deal") == 3
    assert 'name="newest"' not in page


def test_the_newest_chats_are_taken_only_when_asked_for(practice: Practice, enter: Enter) -> None:
    deals_of(practice, [None])
    browser = enter("settings")
    browser.send(TRY, newest="")
    work_on(practice.app, queue.TRIALS, burst=True)
    assert "No chats for these deals" in browser.get("/settings/radist").text
