"""Which chats a code was sent in, read from the updates that wait for a bot."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, Response, jsonify, request
from hypothesis import given
from hypothesis import strategies as st

from synkro.integrations.errors import Nonsense, Refused
from synkro.integrations.telegram.chats import Found, Topic, chats_with
from synkro.integrations.telegram.client import Telegram
from synkro.sandbox.keys import Keys
from synkro.sandbox.telegram.app import create_app
from synkro.sandbox.telegram.updates import TOPIC
from tests.support.emulators import Counted, Emulator, Start, client_to

KEY = Keys()
GROUP = KEY.telegram_chat_id
CODE = "7GYHQG74"
LINE = f"/start@synkro_practice_bot {CODE}"


@pytest.fixture
def emulator(start: Start) -> Emulator:
    return start(create_app(KEY))


def open_bot(emulator: Emulator) -> Telegram:
    return Telegram({"bot_token": KEY.telegram_token}, client_to(Counted(), telegram=emulator))


def found(emulator: Emulator, code: str = CODE) -> list[Found]:
    return chats_with({code}, open_bot(emulator).waiting().updates)


def say(emulator: Emulator, text: str = LINE, **where: Any) -> None:
    emulator.fault("say", value={"text": text, **where})


def test_where_nobody_sent_the_code_there_is_nothing_to_choose(emulator: Emulator) -> None:
    assert found(emulator) == []


def test_a_group_is_found_by_its_code(emulator: Emulator) -> None:
    say(emulator)
    assert found(emulator) == [Found(GROUP, "Отчёты", "supergroup")]


def test_a_code_sent_in_a_topic_names_the_topic(emulator: Emulator) -> None:
    say(emulator, topic=TOPIC)
    assert found(emulator) == [Found(GROUP, "Отчёты", "supergroup", (Topic(TOPIC, "Продажи"),))]


def test_a_group_with_another_code_is_not_offered(emulator: Emulator) -> None:
    say(emulator, chat=-1007, title="Чужая", text="/start@synkro_practice_bot AAAAAAAA")
    say(emulator)
    assert [chat.id for chat in found(emulator)] == [GROUP]


def test_the_latest_code_comes_first(emulator: Emulator) -> None:
    say(emulator)
    say(emulator, chat=-1007, title="Новая", kind="group")
    assert [chat.title for chat in found(emulator)] == ["Новая", "Отчёты"]


def test_a_channel_takes_the_code_as_a_post(emulator: Emulator) -> None:
    say(emulator, chat=-1009, title="Канал", kind="channel", text=CODE)
    assert [(chat.id, chat.type) for chat in found(emulator)] == [(-1009, "channel")]


@pytest.mark.parametrize("text", [CODE.lower(), f"/start@another_bot {CODE}", f"код: {CODE}"])
def test_what_is_not_said_to_the_bot_is_not_heard(emulator: Emulator, text: str) -> None:
    say(emulator, text=text)
    assert found(emulator) == []


def test_a_group_that_has_thrown_the_bot_out_is_not_offered(emulator: Emulator) -> None:
    say(emulator)
    emulator.fault("remove", value=GROUP)
    assert found(emulator) == []


def test_a_group_that_became_a_supergroup_is_offered_under_its_new_id(emulator: Emulator) -> None:
    say(emulator, chat=-44, title="Отдел", kind="group")
    emulator.fault("upgrade", value={"chat": -44, "to": -10044})
    assert found(emulator) == [Found(-10044, "Отдел", "supergroup")]


def test_looking_takes_nothing_away(emulator: Emulator) -> None:
    say(emulator)
    assert found(emulator) == found(emulator) != []


def test_of_many_updates_the_latest_are_read_and_it_is_said(emulator: Emulator) -> None:
    emulator.fault("say", value={"text": "/noise"}, times=150)
    say(emulator)
    waiting = open_bot(emulator).waiting()
    assert waiting.is_cut is True
    assert len(waiting.updates) == 100
    assert [chat.id for chat in chats_with({CODE}, waiting.updates)] == [GROUP]


def test_the_bot_of_another_program_is_left_alone(emulator: Emulator) -> None:
    emulator.fault("webhook")
    with pytest.raises(Refused) as caught:
        open_bot(emulator).waiting()
    assert caught.value.code == "telegram_webhook"
    assert [entry["path"].rpartition("/")[2] for entry in emulator.requests()] == ["getWebhookInfo"]


@pytest.mark.parametrize(("fault", "after", "code"), [("rival", 0, "polled"), ("webhook", 1, "webhook")])
def test_a_conflict_says_who_is_in_the_way(emulator: Emulator, fault: str, after: int, code: str) -> None:
    emulator.fault(fault, after=after, times=-1)
    with pytest.raises(Refused) as caught:
        open_bot(emulator).waiting()
    assert caught.value.code == f"telegram_{code}"
    assert sum(entry["path"].endswith("/getUpdates") for entry in emulator.requests()) == 1


def test_updates_are_asked_for_without_an_offset_and_without_a_filter(start: Start) -> None:
    app, asked = Flask(__name__), list[Any]()

    @app.post("/bot<token>/<method>")
    def say(token: str, method: str) -> Response:
        if method == "getUpdates":
            asked.append(request.get_json())
            return jsonify(ok=True, result=[{}] * 100)
        return jsonify(ok=True, result={"url": ""})

    open_bot(start(app)).waiting()
    assert asked == [{"timeout": 0, "limit": 100}, {"timeout": 0, "limit": 100, "offset": -100}]


@pytest.mark.parametrize("result", [True, {}, None, "x"])
def test_an_answer_without_a_list_is_nonsense(start: Start, result: Any) -> None:
    app = Flask(__name__)

    @app.post("/bot<token>/<method>")
    def say(token: str, method: str) -> Response:
        return jsonify(ok=True, result={"url": ""} if method == "getWebhookInfo" else result)

    with pytest.raises(Nonsense):
        open_bot(start(app)).waiting()


# --- without a network ---


def message(chat: Any, text: Any = LINE, **more: Any) -> dict[str, Any]:
    return {"message": {"chat": chat, "text": text, **more}}


GROUP_CHAT = {"id": -5, "title": "Отдел", "type": "group"}


def place(status: str) -> dict[str, Any]:
    return {"my_chat_member": {"chat": GROUP_CHAT, "new_chat_member": {"status": status}}}


def test_a_bot_that_was_taken_back_is_there() -> None:
    updates = [place("member"), message(GROUP_CHAT), place("kicked"), place("member")]
    assert [chat.id for chat in chats_with({CODE}, updates)] == [-5]


def test_that_the_bot_left_the_old_group_says_nothing_of_the_new_one() -> None:
    updates = [message(GROUP_CHAT), message(GROUP_CHAT, "", migrate_to_chat_id=-100), place("left")]
    assert [chat.id for chat in chats_with({CODE}, updates)] == [-100]


def test_a_circle_of_moves_ends() -> None:
    moves = [message({"id": one}, "", migrate_to_chat_id=other) for one, other in ((-5, -6), (-6, -5))]
    assert len(chats_with({CODE}, [message(GROUP_CHAT), *moves])) == 1


def test_an_edited_message_and_a_caption_count() -> None:
    edited = {"edited_message": {"chat": GROUP_CHAT, "text": LINE.lower()}}
    pictured = {"message": {"chat": {"id": 8, "first_name": "Айгерим", "type": "private"}, "caption": CODE}}
    assert [chat.title for chat in chats_with({CODE}, [edited, pictured])] == ["Айгерим", "Отдел"]


@pytest.mark.parametrize("text", ["", None, 7, ["x"], CODE[:-1], f"{CODE}A", "ПРИВЕТ"])
def test_anything_else_is_no_code(text: Any) -> None:
    assert chats_with({CODE}, [message(GROUP_CHAT, text)]) == []


NAMES = (
    *("message", "my_chat_member", "chat", "id", "text", "title", "message_thread_id", "is_topic_message", "status"),
    *("migrate_to_chat_id", "reply_to_message", "forum_topic_created", "name", "new_chat_member"),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([LINE, CODE, "member"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=12,
)


@given(st.lists(json_values, max_size=5))
def test_whatever_is_sent_chats_are_found_or_not(updates: list[Any]) -> None:
    assert all(type(chat.id) is int and chat.id for chat in chats_with({CODE}, updates))


@given(st.text(), st.sets(st.sampled_from(["AAAAAAAA", "BBBBBBBB"])))
def test_no_chat_is_offered_without_a_code_of_ones_own(text: str, codes: set[str]) -> None:
    assert chats_with(codes, [message(GROUP_CHAT, text)]) == []
