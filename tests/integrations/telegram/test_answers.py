"""What the client makes of answers: checks, refusals, and messages of which nobody knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Response, request
from hypothesis import given
from hypothesis import strategies as st

from synkro.integrations.errors import ApiError, Gone, Nonsense, Refused, Unreachable, Unsure
from synkro.integrations.http.calls import HttpAnswer
from synkro.integrations.telegram.client import Telegram
from synkro.integrations.telegram.errors import check_answer
from tests.support.emulators import Start
from tests.support.having import assert_has
from tests.support.sandbox_words import words
from tests.support.telegram_bot import GROUP, HTML, PLAIN, open_bot

ME = {"id": 7000000001, "username": "bot"}
CHAT = {"id": GROUP, "title": "Отчёты", "type": "supergroup"}


@pytest.fixture
def told(start: Start) -> Callable[..., tuple[Telegram, list[str]]]:
    """A bot whose vendor answers each method with a result or a (status, description), and the methods it called."""

    def make(chat_id: str = str(GROUP), topic: str = "", **changes: Any) -> tuple[Telegram, list[str]]:
        answers = {
            "getMe": ME,
            "getChat": CHAT,
            "getChatMember": {"status": "member"},
            "sendChatAction": True,
            **changes,
        }
        app, called = Flask(__name__), list[str]()

        @app.post("/bot<token>/<method>")
        def say(token: str, method: str) -> Response:
            called.append(method)
            found = answers[method]
            if isinstance(found, tuple):
                body = {"ok": False, "error_code": found[0], "description": found[1], **dict(*found[2:])}
                return Response(json.dumps(body), found[0], content_type="application/json")
            assert request.get_json() is not None
            return Response(json.dumps({"ok": True, "result": found}), content_type="application/json")

        return open_bot(start(app), chat_id=chat_id, message_thread_id=topic), called

    return make


def test_check_is_green_once_the_bot_was_seen_typing(told: Callable[..., Any]) -> None:
    bot, called = told()
    found = bot.check()
    assert_has(found, colour="green", code="telegram_ok", params={"bot": "bot", "chat": "Отчёты"})
    assert called == ["getMe", "getChat", "getChatMember", "sendChatAction"]


def test_check_asks_for_a_chat_when_none_is_set(told: Callable[..., Any]) -> None:
    found = told(chat_id="")[0].check()
    assert_has(found, colour="yellow", code="telegram_choose_chat", params={"bot": "bot"})


def test_check_says_that_the_bot_may_not_be_added_to_groups(told: Callable[..., Any]) -> None:
    found = told(chat_id="", getMe=ME | {"can_join_groups": False})[0].check()
    assert_has(found, colour="yellow", code="telegram_no_groups", params={"bot": "bot"})


def test_a_bot_that_is_in_its_group_need_not_be_added(told: Callable[..., Any]) -> None:
    assert told(getMe=ME | {"can_join_groups": False})[0].check().colour == "green"


@pytest.mark.parametrize(
    ("chat", "member", "colour"),
    [
        ({}, {"status": "administrator"}, "green"),
        ({}, {"status": "creator"}, "green"),
        ({"permissions": {"can_send_messages": False}}, {"status": "member"}, "red"),
        ({"permissions": {"can_send_messages": False}}, {"status": "administrator"}, "green"),
        ({}, {"status": "restricted", "can_send_messages": False}, "red"),
        ({}, {"status": "restricted", "can_send_messages": True}, "green"),
        ({"type": "channel"}, {"status": "administrator"}, "red"),
        ({"type": "channel"}, {"status": "administrator", "can_post_messages": True}, "green"),
        ({"type": "private"}, {"status": "left"}, "green"),
    ],
)
def test_check_knows_who_may_write(told: Callable[..., Any], chat: Any, member: Any, colour: str) -> None:
    found = told(getChat=CHAT | chat, getChatMember=member)[0].check()
    assert found.colour == colour


@pytest.mark.parametrize("status", ["left", "kicked"])
def test_check_says_that_the_bot_is_not_in_the_group(told: Callable[..., Any], status: str) -> None:
    with pytest.raises(Refused) as caught:
        told(getChatMember={"status": status})[0].check()
    assert caught.value.code == "telegram_removed"


def test_check_tells_where_the_group_has_moved(told: Callable[..., Any]) -> None:
    moved = (400, "Bad Request: group chat was upgraded", {"parameters": {"migrate_to_chat_id": -1005}})
    found = told(sendChatAction=moved)[0].check()
    assert_has(found, colour="yellow", code="telegram_migrated", params={"chat_id": -1005, "bot": "bot"})


def test_check_finds_a_topic_that_is_gone(told: Callable[..., Any]) -> None:
    found = told(topic="17", sendChatAction=(400, "Bad Request: message thread not found"))[0].check()
    assert_has(found, colour="yellow", code="telegram_no_topic")


def test_check_is_not_green_where_typing_is_refused(told: Callable[..., Any]) -> None:
    with pytest.raises(Refused) as caught:
        told(sendChatAction=(403, "Forbidden: bot was kicked from the supergroup chat"))[0].check()
    assert caught.value.code == "telegram_removed"


@pytest.mark.parametrize("result", [True, [], {}, {"id": "7"}, "x"])
def test_a_bot_without_an_id_is_nonsense(told: Callable[..., Any], result: Any) -> None:
    with pytest.raises(Nonsense):
        told(getMe=result)[0].check()


@pytest.mark.parametrize("result", [True, {}, {"message_id": 5}, {"message_id": "5", "chat": {"id": 1}}])
def test_an_unproven_message_counts_as_perhaps_sent(told: Callable[..., Any], result: Any) -> None:
    bot, called = told(sendMessage=result)
    with pytest.raises(Unsure):
        bot.send(HTML, PLAIN)
    assert called == ["sendMessage"]


def test_messages_show_no_previews_and_go_over_new_connections(start: Start) -> None:
    app, ports, payloads = Flask(__name__), list[str](), list[dict[str, Any]]()

    @app.post("/bot<token>/sendMessage")
    def say(token: str) -> dict[str, Any]:
        ports.append(request.environ["REMOTE_PORT"])
        payloads.append(request.get_json())
        return {"ok": True, "result": {"message_id": 1, "chat": {"id": GROUP}}}

    bot = open_bot(start(app))
    bot.send(HTML, PLAIN)
    bot.send(HTML, PLAIN)
    assert len(set(ports)) == 2
    assert all(payload["link_preview_options"] == {"is_disabled": True} for payload in payloads)


def test_a_gateway_that_gave_up_waiting_leaves_it_open(told: Callable[..., Any]) -> None:
    bot, called = told(sendMessage=(504, "Gateway Timeout"))
    with pytest.raises(Unsure):
        bot.send(HTML, PLAIN)
    assert called == ["sendMessage"]


@pytest.mark.parametrize(
    ("status", "description", "kind", "code"),
    [
        (400, "Bad Request: chat_id is empty", Gone, "telegram_no_chat"),
        (400, "Bad Request: TOPIC_CLOSED", Gone, "telegram_no_topic"),
        (400, "Bad Request: message is too long", Gone, "telegram_too_long"),
        (400, "Bad Request: message text is empty", Gone, "telegram_rejected"),
        (400, "Bad Request: need administrator rights in the channel chat", Refused, "telegram_no_rights"),
        (403, "Forbidden: bot was blocked by the user", Refused, "telegram_blocked"),
        (403, "Forbidden: something new", Refused, "telegram_removed"),
        (404, "Not Found", Refused, "telegram_token_refused"),
        (409, "Conflict: terminated by other getUpdates request; make sure", Refused, "telegram_polled"),
        (409, "Conflict: can't use getUpdates method while webhook is active; use", Refused, "telegram_webhook"),
        (409, "Conflict: something new", Gone, "telegram_rejected"),
        (500, "Internal Server Error: restart", Unreachable, "server_error"),
    ],
)
def test_refusals_are_classed(status: int, description: str, kind: type[ApiError], code: str) -> None:
    body = {"ok": False, "error_code": status, "description": description}
    for http_status in (status, 200):
        error = check_answer(HttpAnswer(http_status, {}, json.dumps(body).encode(), "Telegram"))
        assert isinstance(error, kind)
        assert error.code == code


def test_an_oversized_request_is_answered_with_nothing() -> None:
    error = check_answer(HttpAnswer(413, {}, b"", "Telegram"))
    assert isinstance(error, Gone)
    assert error.code == "telegram_too_long"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.integers(300, 599), json_values)
def test_any_refusal_is_one_of_our_errors(status: int, value: Any) -> None:
    for body in (value, {"ok": False, "error_code": status, "description": value, "parameters": value}):
        error = check_answer(HttpAnswer(status, {}, json.dumps(body).encode(), "Telegram"))
        assert error is not None
        assert words(error)
