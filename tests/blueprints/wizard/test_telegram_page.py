"""The page of Telegram: the line with the code, the groups that were found, the choice."""

from __future__ import annotations

import re

import pytest

from synkro.models import Tenant
from synkro.services.connections import checks, integrations
from synkro.tenancy import tenant_scope
from tests.support.practice import Practice
from tests.support.telegram_acts import chosen, code, saved, say, tried
from tests.support.web_client import Browser, Enter

PAGE = "/settings/telegram"


@pytest.fixture
def browser(practice: Practice, enter: Enter) -> Browser:
    """Signed in, with a bot that was checked and no chat yet."""
    saved(practice, {"chat_id": ""})
    with tenant_scope(practice.tenant.id):
        checks.run("telegram")
    return enter("settings")


def test_it_shows_the_line_for_the_group_and_never_the_token(practice: Practice, browser: Browser) -> None:
    page, own = browser.get(PAGE).text, code(practice.tenant)
    assert f"/start@synkro_practice_bot {own}" in page
    assert f"https://t.me/synkro_practice_bot?startgroup={own}" in page
    assert practice.world.keys.telegram_token not in page


def test_before_a_check_nobody_knows_the_name_of_the_bot(practice: Practice, enter: Enter) -> None:
    page = enter("settings").get(PAGE).text
    assert "/start@" not in page
    assert "t.me/synkro" not in page


def test_each_company_has_a_code_of_its_own(practice: Practice, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant.id):
        integrations.save("telegram", {"bot_token": practice.world.keys.telegram_token}, actor="test")
    assert code(practice.tenant) != code(other_tenant)


def test_the_title_of_a_group_is_text(practice: Practice, browser: Browser) -> None:
    say(practice, code(practice.tenant), chat=-1007, title="<script>alert(1)</script>")
    tried(practice, "chats")
    page = browser.get(PAGE).text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_the_press_of_a_button_chooses_the_group_and_its_topic(practice: Practice, browser: Browser) -> None:
    say(practice, code(practice.tenant), topic=17)
    tried(practice, "chats")
    offered = browser.get(f"{PAGE}/state").text
    values = dict(re.findall(r'type="hidden" name="(chat_id|message_thread_id)" value="([^"]+)"', offered))
    assert browser.send(PAGE, **values).status_code == 303
    with tenant_scope(practice.tenant.id):
        config = integrations.find("telegram")
        assert config is not None
        assert config.settings["message_thread_id"] == "17"
        assert config.check_requested_at is not None
    assert chosen(practice) == str(practice.world.keys.telegram_chat_id)


def test_no_message_can_be_sent_before_a_group_is_chosen(practice: Practice, browser: Browser) -> None:
    assert f'action="{PAGE}/try/message"' not in browser.get(PAGE).text
    saved(practice, {"chat_id": str(practice.world.keys.telegram_chat_id)})
    with tenant_scope(practice.tenant.id):
        checks.run("telegram")
    assert f'action="{PAGE}/try/message"' in browser.get(PAGE).text
