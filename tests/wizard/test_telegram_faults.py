"""What Telegram can do to a check or a trial, and what people get to see of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask_babel import force_locale

from synkro.services import checks
from synkro.services.trials import says
from synkro.tenancy import tenant_scope
from tests.practice import Practice
from tests.wizard.telegram_acts import saved, tried

FOR_EVER = {"times": -1}
FAULTS: list[dict[str, Any]] = [
    {"what": "the token was revoked or is another bot's", "act": "check", "fault": "revoke_token"}
    | {"colour": "red", "code": "telegram_token_refused"},
    {"what": "the bot was thrown out of the group", "act": "check", "fault": "kicked"}
    | {"colour": "red", "code": "telegram_removed"},
    {"what": "the bot was never in the group", "act": "check", "fault": "not_member"}
    | {"colour": "red", "code": "telegram_removed"},
    {"what": "the group was deleted", "act": "check", "fault": "group_deleted"}
    | {"colour": "red", "code": "telegram_removed"},
    {"what": "the bot may not write in the group", "act": "check", "fault": "no_rights"}
    | {"colour": "red", "code": "telegram_no_rights"},
    {"what": "the person has blocked the bot", "act": "check", "fault": "blocked"}
    | {"colour": "red", "code": "telegram_blocked"},
    {"what": "the topic is closed", "act": "check", "fault": "topic_closed"}
    | {"colour": "yellow", "code": "telegram_no_topic"},
    {"what": "the topic was deleted", "act": "check", "fault": "thread_not_found"}
    | {"colour": "yellow", "code": "telegram_no_topic"},
    {"what": "the group has become a supergroup", "act": "check", "fault": "migrate"}
    | {"colour": "yellow", "code": "telegram_migrated"},
    {"what": "no group is chosen yet", "act": "check", "settings": {"chat_id": ""}}
    | {"colour": "yellow", "code": "telegram_choose_chat"},
    {"what": "no group is chosen, and the bot may not be added to groups", "act": "check", "settings": {"chat_id": ""}}
    | {"set": {"can_join": False}, "colour": "yellow", "code": "telegram_no_groups"},
    {"what": "the chat is not known", "act": "check", "settings": {"chat_id": "-100999"}}
    | {"colour": "red", "code": "telegram_no_chat"},
    {"what": "the token has not the form of a token", "act": "check", "settings": {"bot_token": "token"}}
    | {"colour": "red", "code": "telegram_token_form"},
    {"what": "the chat ID has not the form of one", "act": "check", "settings": {"chat_id": "Reports"}}
    | {"colour": "red", "code": "telegram_chat_form"},
    {"what": "the topic ID is no number", "act": "check", "settings": {"message_thread_id": "sales"}}
    | {"colour": "red", "code": "telegram_topic_form"},
    {"what": "Telegram reports an error on its side", "act": "check", "fault": "500", **FOR_EVER}
    | {"colour": "red", "code": "server_error"},
    {"what": "a gateway answers instead of Telegram", "act": "check", "fault": "502_html", **FOR_EVER}
    | {"colour": "red", "code": "server_error"},
    {"what": "Telegram asks to wait", "act": "check", "fault": "429", **FOR_EVER} | {"colour": "red", "code": "busy"},
    {"what": "Telegram hangs up", "act": "check", "fault": "drop", **FOR_EVER}
    | {"colour": "red", "code": "unreachable"},
    {"what": "a web page comes instead of an answer", "act": "check", "fault": "html", **FOR_EVER}
    | {"colour": "red", "code": "unexpected_shape"},
    {"what": "the answer is half written", "act": "check", "fault": "broken_json", **FOR_EVER}
    | {"colour": "red", "code": "unexpected_shape"},
    {"what": "the answer is empty", "act": "check", "fault": "empty", **FOR_EVER}
    | {"colour": "red", "code": "unexpected_shape"},
    {"what": "nobody has sent the code", "act": "chats", "colour": "yellow", "code": "telegram_code_not_seen"},
    {"what": "the bot belongs to another program", "act": "chats", "fault": "webhook", **FOR_EVER}
    | {"colour": "red", "code": "telegram_webhook"},
    {"what": "another program takes the bot over meanwhile", "act": "chats", "fault": "webhook", "path": "getUpdates"}
    | {"colour": "red", "code": "telegram_webhook"},
    {"what": "another program reads the bot's messages", "act": "chats", "fault": "rival"}
    | {"colour": "red", "code": "telegram_polled"},
    {"what": "the updates cannot be read", "act": "chats", "fault": "html", "path": "getUpdates", **FOR_EVER}
    | {"colour": "red", "code": "unexpected_shape"},
    {"what": "the token was revoked", "act": "message", "fault": "revoke_token"}
    | {"colour": "red", "code": "telegram_token_refused"},
    {"what": "the bot was thrown out before the message", "act": "message", "fault": "kicked"}
    | {"colour": "red", "code": "telegram_removed"},
    {"what": "the bot may not write", "act": "message", "fault": "no_rights"}
    | {"colour": "red", "code": "telegram_no_rights"},
    {"what": "the answer to the message is lost", "act": "message", "fault": "drop_after"}
    | {"colour": "yellow", "code": "telegram_unknown"},
    {"what": "the answer to the message cannot be read", "act": "message", "fault": "broken_json"}
    | {"colour": "yellow", "code": "telegram_unknown"},
    {"what": "the group has become a supergroup", "act": "message", "fault": "migrate"}
    | {"colour": "green", "code": "telegram_test_moved"},
    {"what": "the topic was deleted", "act": "message", "fault": "thread_not_found"}
    | {"settings": {"message_thread_id": "17"}, "colour": "yellow", "code": "telegram_test_no_topic"},
    {"what": "too many messages: Telegram asks for a long wait", "act": "message", "fault": "flood", "value": 40}
    | {"colour": "red", "code": "busy"},
    {"what": "Telegram starts anew", "act": "message", "fault": "restart", "colour": "green"}
    | {"code": "telegram_test_sent"},
    {"what": "there is nothing to report yet", "act": "report", "colour": "yellow", "code": "telegram_report_first"},
]
"""What happens, in which act, how it is caused on the emulator or by what is saved, and what people get to see."""
ORDER = ("fault", "path", "times", "after", "value", "set")


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No rest between the tries of a call."""
    monkeypatch.setattr("synkro.integrations.http.random.uniform", lambda *_: 0.0)


def seen(practice: Practice, act: str) -> tuple[str | None, str | None, str]:
    """Colour, code and sentence, as the page has them."""
    with force_locale("en"):
        if act == "check":
            with tenant_scope(practice.tenant.id):
                checks.run("telegram")
                config = checks.find("telegram")
                assert config is not None
                return config.check_colour, config.check_code, checks.says(config)
        trial, _ = tried(practice, act)
        return trial.colour, trial.code, says(trial)


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: f"{row['act']}: {row['what']}")
def test_each_fault_has_its_colour_code_and_sentence(practice: Practice, row: dict[str, Any]) -> None:
    saved(practice, row.get("settings", {}))
    if order := {name: row[name] for name in ORDER if name in row}:
        practice.control("telegram", **order)
    colour, code, sentence = seen(practice, row["act"])
    assert (colour, code) == (row["colour"], row["code"])
    assert re.fullmatch(r"[A-Z@].*\.", sentence), sentence
    assert not re.search(r"%\(|Traceback|127\.0\.0\.1|bot\d+:", sentence), sentence
