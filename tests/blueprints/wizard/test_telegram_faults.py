"""What Telegram can do to a check or a trial, and what people get to see of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.clocks import LATE_SECONDS
from tests.support.faults import Fault
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.seeing import assert_plain, seen
from tests.support.telegram_acts import saved


def lasting(fault: str, **more: Any) -> dict[str, Any]:
    return {"fault": fault, "times": -1, **more}


FAULTS: list[Fault] = [
    Fault("the token was revoked or is another bot's", {"fault": "revoke_token"}, "red", "telegram_token_refused"),
    Fault("the bot was thrown out of the group", {"fault": "kicked"}, "red", "telegram_removed"),
    Fault("the bot was never in the group", {"fault": "not_member"}, "red", "telegram_removed"),
    Fault("the group was deleted", {"fault": "group_deleted"}, "red", "telegram_removed"),
    Fault("the bot may not write in the group", {"fault": "no_rights"}, "red", "telegram_no_rights"),
    Fault("the person has blocked the bot", {"fault": "blocked"}, "red", "telegram_blocked"),
    Fault("the topic is closed", {"fault": "topic_closed"}, "yellow", "telegram_no_topic"),
    Fault("the topic was deleted", {"fault": "thread_not_found"}, "yellow", "telegram_no_topic"),
    Fault("the group has become a supergroup", {"fault": "migrate"}, "yellow", "telegram_migrated"),
    Fault("no group is chosen yet", {"settings": {"chat_id": ""}}, "yellow", "telegram_choose_chat"),
    Fault(
        "no group is chosen, and the bot may not be added to groups",
        {"settings": {"chat_id": ""}, "set": {"can_join": False}},
        "yellow",
        "telegram_no_groups",
    ),
    Fault("the chat is not known", {"settings": {"chat_id": "-100999"}}, "red", "telegram_no_chat"),
    Fault("the token has not the form of a token", {"settings": {"bot_token": "token"}}, "red", "telegram_token_form"),
    Fault("the chat ID has not the form of one", {"settings": {"chat_id": "Reports"}}, "red", "telegram_chat_form"),
    Fault("the topic ID is no number", {"settings": {"message_thread_id": "sales"}}, "red", "telegram_topic_form"),
    Fault("Telegram reports an error on its side", lasting("500"), "red", "server_error"),
    Fault("a gateway answers instead of Telegram", lasting("502_html"), "red", "server_error"),
    Fault("Telegram asks to wait", lasting("429"), "red", "busy"),
    Fault("Telegram hangs up", lasting("drop"), "red", "unreachable"),
    Fault("a web page comes instead of an answer", lasting("html"), "red", "unexpected_shape"),
    Fault("the answer is half written", lasting("broken_json"), "red", "unexpected_shape"),
    Fault("the answer is empty", lasting("empty"), "red", "unexpected_shape"),
    Fault("the server is in repair", lasting("503"), "red", "server_error"),
    Fault("an answer without end", lasting("huge"), "red", "too_large"),
    Fault("it hangs up after the request", lasting("drop_after"), "red", "unreachable"),
    Fault("no answer in time", lasting("slow", seconds=LATE_SECONDS), "red", "too_slow"),
    Fault("nobody has sent the code", {}, "yellow", "telegram_code_not_seen", "chats"),
    Fault("the bot belongs to another program", lasting("webhook"), "red", "telegram_webhook", "chats"),
    Fault(
        "another program takes the bot over meanwhile",
        {"fault": "webhook", "path": "getUpdates"},
        "red",
        "telegram_webhook",
        "chats",
    ),
    Fault("another program reads the bot's messages", {"fault": "rival"}, "red", "telegram_polled", "chats"),
    Fault("the updates cannot be read", lasting("html", path="getUpdates"), "red", "unexpected_shape", "chats"),
    Fault("the token was revoked", {"fault": "revoke_token"}, "red", "telegram_token_refused", "message"),
    Fault("the bot was thrown out before the message", {"fault": "kicked"}, "red", "telegram_removed", "message"),
    Fault("the bot may not write", {"fault": "no_rights"}, "red", "telegram_no_rights", "message"),
    Fault("the answer to the message is lost", {"fault": "drop_after"}, "yellow", "telegram_unknown", "message"),
    Fault(
        "the answer to the message cannot be read", {"fault": "broken_json"}, "yellow", "telegram_unknown", "message"
    ),
    Fault("the group has become a supergroup", {"fault": "migrate"}, "green", "telegram_test_moved", "message"),
    Fault(
        "the topic was deleted",
        {"fault": "thread_not_found", "settings": {"message_thread_id": "17"}},
        "yellow",
        "telegram_test_no_topic",
        "message",
    ),
    Fault(
        "too many messages: Telegram asks for a long wait", {"fault": "flood", "value": 40}, "red", "busy", "message"
    ),
    Fault(
        "the answer to the message comes too late",
        {"fault": "slow", "path": "sendMessage", "seconds": LATE_SECONDS},
        "yellow",
        "telegram_unknown",
        "message",
    ),
    Fault("Telegram starts anew", {"fault": "restart"}, "green", "telegram_test_sent", "message"),
    Fault("there is nothing to report yet", {}, "yellow", "telegram_report_first", "report"),
]


pytestmark = pytest.mark.usefixtures("impatient")


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_each_fault_has_its_colour_code_and_sentence(practice: Practice, fault: Fault) -> None:
    saved(practice, fault.typed)
    if fault.order:
        practice.control("telegram", **fault.order)
    found = seen(practice, "telegram", fault.act)
    assert_has(found, colour=fault.colour, code=fault.code)
    assert_plain(found.sentence)
