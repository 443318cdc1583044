from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from flask import Flask, Response, request
from hypothesis import given
from hypothesis import strategies as st

from synkro.integrations.errors import ApiError, Busy, Gone, Lost, Nonsense, Refused, Unreachable, Unsure
from synkro.integrations.http import Answer, Door
from synkro.integrations.telegram import Sent, Telegram
from synkro.integrations.telegram_errors import judge
from synkro.integrations.telegram_text import MESSAGE_LIMIT, escape, length
from synkro.sandbox.keys import Keys
from synkro.sandbox.telegram import OLD_GROUP, TOPIC, create_app
from synkro.sandbox.telegram_html import parse
from tests.integrations.conftest import Counted, Emulator, Start, door_to
from tests.integrations.sandbox_fixtures import words

KEY = Keys()
GROUP = KEY.telegram_chat_id
HTML, PLAIN = "<b>Отчёт</b>\nСделок: 12", "Отчёт\nСделок: 12"


@pytest.fixture
def emulator(start: Start) -> Emulator:
    found = start(create_app(KEY))
    found.set(flood=False)
    return found


def open_bot(emulator: Emulator, pacer: Counted | None = None, **settings: str) -> Telegram:
    given = {"bot_token": KEY.telegram_token, "chat_id": str(GROUP), **settings}
    return Telegram(given, door_to(pacer or Counted(), telegram=emulator))


def sent(emulator: Emulator) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"{emulator.url}/__sent", timeout=60).json()
    return found


def sends(emulator: Emulator) -> int:
    return sum(entry["path"].endswith("/sendMessage") for entry in emulator.requests())


def test_the_bot_is_who_its_token_says(emulator: Emulator) -> None:
    bot = open_bot(emulator).me()
    assert (bot.id, bot.username) == (7000000001, "synkro_practice_bot")


def test_the_chat_is_described(emulator: Emulator) -> None:
    chat = open_bot(emulator).chat()
    assert (chat.id, chat.title, chat.type, chat.is_forum, chat.may_send) == (GROUP, "Отчёты", "supergroup", True, True)


def test_a_message_arrives_with_its_formatting(emulator: Emulator) -> None:
    assert open_bot(emulator).send(HTML, PLAIN) == Sent(sent(emulator)[0]["message_id"], GROUP, None)
    assert sent(emulator)[0]["text"] == PLAIN
    assert [entity["type"] for entity in sent(emulator)[0]["entities"]] == ["bold"]


def test_refused_formatting_is_sent_once_as_plain_text(emulator: Emulator) -> None:
    done = open_bot(emulator).send("<h1>Отчёт</h1>", "Отчёт")
    assert done.notice == "telegram_plain"
    assert [message["text"] for message in sent(emulator)] == ["Отчёт"]


def test_a_moved_group_gets_the_message_at_its_new_address(emulator: Emulator) -> None:
    bot = open_bot(emulator, chat_id=str(OLD_GROUP))
    done = bot.send(HTML, PLAIN)
    assert (done.chat_id, done.notice) == (GROUP, "telegram_migrated")
    assert bot.send(HTML, PLAIN).notice is None
    assert len(sent(emulator)) == 2


def test_a_group_that_moves_for_ever_is_given_up(emulator: Emulator) -> None:
    emulator.fault("migrate", value=-1002000000002, times=-1)
    with pytest.raises(Gone) as caught:
        open_bot(emulator).send(HTML, PLAIN)
    assert (caught.value.code, sends(emulator)) == ("telegram_migrated", 2)


@pytest.mark.parametrize("fault", ["topic_closed", "thread_not_found"])
def test_without_its_topic_a_message_goes_to_the_group(emulator: Emulator, fault: str) -> None:
    emulator.fault(fault)
    done = open_bot(emulator, message_thread_id=str(TOPIC)).send(HTML, PLAIN)
    assert done.notice == "telegram_no_topic"
    assert "message_thread_id" not in sent(emulator)[0]


def test_a_message_goes_to_its_topic(emulator: Emulator) -> None:
    assert open_bot(emulator, message_thread_id=str(TOPIC)).send(HTML, PLAIN).notice is None
    assert sent(emulator)[0]["message_thread_id"] == TOPIC


def test_the_general_topic_is_not_named(emulator: Emulator) -> None:
    assert open_bot(emulator, message_thread_id="1").send(HTML, PLAIN).notice is None


def test_two_mendings_in_one_message_are_possible(emulator: Emulator) -> None:
    done = open_bot(emulator, chat_id=str(OLD_GROUP), message_thread_id="999").send("<p>Отчёт", "Отчёт")
    assert (done.chat_id, done.notice) == (GROUP, "telegram_migrated")
    assert [message["text"] for message in sent(emulator)] == ["Отчёт"]


@pytest.mark.parametrize("fault", ["drop", "drop_after", "broken_json", "html", "empty"])
def test_a_message_that_may_have_arrived_is_not_sent_again(emulator: Emulator, fault: str) -> None:
    emulator.fault(fault)
    with pytest.raises(Unsure) as caught:
        open_bot(emulator).send(HTML, PLAIN)
    assert (caught.value.code, sends(emulator)) == ("telegram_unknown", 1)


def test_a_message_that_never_left_may_be_sent_again(emulator: Emulator) -> None:
    bot = open_bot(emulator)
    emulator.stop()
    with pytest.raises(Unreachable) as caught:
        bot.send(HTML, PLAIN)
    assert not isinstance(caught.value, Lost)


@pytest.mark.parametrize("fault", ["restart", "502_html", "503"])
def test_an_answered_failure_is_tried_again(emulator: Emulator, fault: str) -> None:
    emulator.fault(fault)
    open_bot(emulator).send(HTML, PLAIN)
    assert len(sent(emulator)) == 1


def test_a_long_wait_is_the_callers(emulator: Emulator) -> None:
    emulator.fault("flood", value=37)
    with pytest.raises(Busy) as caught:
        open_bot(emulator).send(HTML, PLAIN)
    assert (caught.value.retry_after, sends(emulator)) == (37, 1)


def test_a_short_wait_is_waited_out(emulator: Emulator) -> None:
    emulator.fault("flood", value=2)
    open_bot(emulator).send(HTML, PLAIN)
    assert len(sent(emulator)) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("kicked", "telegram_removed"),
        ("not_member", "telegram_removed"),
        ("group_deleted", "telegram_removed"),
        ("blocked", "telegram_blocked"),
        ("no_rights", "telegram_no_rights"),
        ("revoke_token", "telegram_token_refused"),
    ],
)
def test_a_refused_message_says_why(emulator: Emulator, fault: str, code: str) -> None:
    emulator.fault(fault, times=-1)
    with pytest.raises(Refused) as caught:
        open_bot(emulator).send(HTML, PLAIN)
    assert (caught.value.code, sends(emulator)) == (code, 1)


def test_an_unknown_chat_says_so(emulator: Emulator) -> None:
    with pytest.raises(Gone) as caught:
        open_bot(emulator, chat_id="-100999").send(HTML, PLAIN)
    assert caught.value.code == "telegram_no_chat"


def test_a_wrong_token_says_so(emulator: Emulator) -> None:
    with pytest.raises(Refused) as caught:
        open_bot(emulator, bot_token=f"7000000001:{'x' * 35}").check()
    assert caught.value.code == "telegram_token_refused"


def test_a_message_that_is_too_long_is_not_sent(emulator: Emulator) -> None:
    with pytest.raises(Gone) as caught:
        open_bot(emulator).send("x", "ё" * (MESSAGE_LIMIT + 1))
    assert (caught.value.code, sends(emulator)) == ("telegram_too_long", 0)


def test_the_longest_message_arrives(emulator: Emulator) -> None:
    text = "&" * MESSAGE_LIMIT
    open_bot(emulator).send(escape(text), text)
    assert len(sent(emulator)[0]["text"]) == MESSAGE_LIMIT


def test_a_test_message_arrives_as_it_was_written(emulator: Emulator) -> None:
    open_bot(emulator).test_message("1 < 2 & <b>")
    assert sent(emulator)[0]["text"] == "1 < 2 & <b>"


def test_half_a_surrogate_pair_does_not_stop_a_message(emulator: Emulator) -> None:
    open_bot(emulator).test_message("обрез\ud83d")
    assert sent(emulator)[0]["text"].startswith("обрез")


def test_messages_are_paced_for_the_bot_and_for_the_chat(emulator: Emulator) -> None:
    pacer = Counted()
    open_bot(emulator, pacer).send(HTML, PLAIN)
    assert pacer.keys == ["tg:7000000001 25", f"tg:7000000001:{GROUP} 0.3"]


def test_no_error_tells_the_token(emulator: Emulator) -> None:
    bot = open_bot(emulator)
    emulator.stop()
    with pytest.raises(ApiError) as caught:
        bot.me()
    error: BaseException | None = caught.value
    while error:
        assert KEY.telegram_token not in repr(error) + str(error) + repr(getattr(error, "params", ""))
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"bot_token": "нет"}, "telegram_token_form"),
        ({"bot_token": "123"}, "telegram_token_form"),
        ({"bot_token": f"0123456:{'a' * 35}"}, "telegram_token_form"),
        ({"bot_token": f"1234567:{'a' * 30}/../x"}, "telegram_token_form"),
        ({"chat_id": "Отчёты"}, "telegram_chat_form"),
        ({"chat_id": "--5"}, "telegram_chat_form"),
        ({"chat_id": "https://t.me/x"}, "telegram_chat_form"),
        ({"message_thread_id": "x"}, "telegram_topic_form"),
        ({"message_thread_id": "-1"}, "telegram_topic_form"),
    ],
)
def test_settings_of_another_form_are_refused_at_once(settings: dict[str, str], code: str) -> None:
    with pytest.raises(Refused) as caught:
        Telegram({"bot_token": KEY.telegram_token, "chat_id": "-5", **settings}, Door(Counted()))
    assert caught.value.code == code


def test_only_the_token_is_secret() -> None:
    assert Telegram.secret_names() == {"bot_token"}


# --- the check, against a vendor that says what it is told ---

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
    assert (found.colour, found.code, found.params) == ("green", "telegram_ok", {"bot": "bot", "chat": "Отчёты"})
    assert called == ["getMe", "getChat", "getChatMember", "sendChatAction"]


def test_check_asks_for_a_chat_when_none_is_set(told: Callable[..., Any]) -> None:
    found = told(chat_id="")[0].check()
    assert (found.colour, found.code, found.params) == ("yellow", "telegram_choose_chat", {"bot": "bot"})


def test_check_says_that_the_bot_may_not_be_added_to_groups(told: Callable[..., Any]) -> None:
    found = told(chat_id="", getMe=ME | {"can_join_groups": False})[0].check()
    assert (found.colour, found.code, found.params) == ("yellow", "telegram_no_groups", {"bot": "bot"})


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
    assert (found.colour, found.code, found.params) == ("yellow", "telegram_migrated", {"chat_id": -1005, "bot": "bot"})


def test_check_finds_a_topic_that_is_gone(told: Callable[..., Any]) -> None:
    found = told(topic="17", sendChatAction=(400, "Bad Request: message thread not found"))[0].check()
    assert (found.colour, found.code) == ("yellow", "telegram_no_topic")


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


def test_messages_come_without_a_preview_of_links_and_over_new_connections(start: Start) -> None:
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


# --- without a network ---


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
        error = judge(Answer(http_status, {}, json.dumps(body).encode(), "Telegram"))
        assert isinstance(error, kind)
        assert error.code == code


def test_an_oversized_request_is_answered_with_nothing() -> None:
    error = judge(Answer(413, {}, b"", "Telegram"))
    assert isinstance(error, Gone)
    assert error.code == "telegram_too_long"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.integers(300, 599), json_values)
def test_any_refusal_is_one_of_our_errors(status: int, value: Any) -> None:
    for body in (value, {"ok": False, "error_code": status, "description": value, "parameters": value}):
        error = judge(Answer(status, {}, json.dumps(body).encode(), "Telegram"))
        assert error is not None
        assert words(error)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_escaped_text_reads_as_it_was_written(text: str) -> None:
    shown, entities = parse(escape(text))
    assert (shown, list(entities)) == (text, [])


@given(st.text(st.characters()))
def test_length_is_never_below_the_code_points(text: str) -> None:
    assert len(text) <= length(text) <= 2 * len(text)


def test_a_picture_sign_counts_twice() -> None:
    assert length("🎄ё") == 3


@given(st.from_regex(r"\A[1-9][0-9]{5,15}:[A-Za-z0-9_-]{30,60}\Z"))
def test_a_token_cannot_change_the_path(token: str) -> None:
    assert re.fullmatch(r"[0-9]+:[\w-]+", token)
    Telegram({"bot_token": token}, Door(Counted()))
