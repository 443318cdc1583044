from __future__ import annotations

import re
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from synkro.integrations.errors import ApiError, Busy, Gone, Lost, Refused, Unreachable, Unsure
from synkro.integrations.http.client import HttpClient
from synkro.integrations.telegram.client import Sent, Telegram
from synkro.integrations.telegram.text import MESSAGE_LIMIT, escape, length
from synkro.sandbox.telegram.app import OLD_GROUP, TOPIC
from synkro.sandbox.telegram.html import parse
from tests.support.emulators import Counted, Emulator
from tests.support.having import assert_has
from tests.support.telegram_bot import GROUP, HTML, KEY, PLAIN, open_bot
from tests.support.telegram_bot import emulator as emulator  # noqa: PLC0414 (a fixture)


def sent(emulator: Emulator) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"{emulator.url}/__sent", timeout=60).json()
    return found


def sends(emulator: Emulator) -> int:
    return sum(entry["path"].endswith("/sendMessage") for entry in emulator.requests())


def test_the_bot_is_who_its_token_says(emulator: Emulator) -> None:
    bot = open_bot(emulator).me()
    assert_has(bot, id=7000000001, username="synkro_practice_bot")


def test_the_chat_is_described(emulator: Emulator) -> None:
    chat = open_bot(emulator).chat()
    assert_has(chat, id=GROUP, title="Отчёты", type="supergroup", is_forum=True, may_send=True)


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
    assert_has(done, chat_id=GROUP, notice="telegram_migrated")
    assert bot.send(HTML, PLAIN).notice is None
    assert len(sent(emulator)) == 2


def test_a_group_that_moves_for_ever_is_given_up(emulator: Emulator) -> None:
    emulator.fault("migrate", value=-1002000000002, times=-1)
    with pytest.raises(Gone) as caught:
        open_bot(emulator).send(HTML, PLAIN)
    assert caught.value.code == "telegram_migrated"
    assert sends(emulator) == 2


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
    assert_has(done, chat_id=GROUP, notice="telegram_migrated")
    assert [message["text"] for message in sent(emulator)] == ["Отчёт"]


@pytest.mark.parametrize("fault", ["drop", "drop_after", "broken_json", "html", "empty"])
def test_a_message_that_may_have_arrived_is_not_sent_again(emulator: Emulator, fault: str) -> None:
    emulator.fault(fault)
    with pytest.raises(Unsure) as caught:
        open_bot(emulator).send(HTML, PLAIN)
    assert caught.value.code == "telegram_unknown"
    assert sends(emulator) == 1


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
    assert caught.value.retry_after == 37
    assert sends(emulator) == 1


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
    assert caught.value.code == code
    assert sends(emulator) == 1


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
    assert caught.value.code == "telegram_too_long"
    assert sends(emulator) == 0


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
        Telegram({"bot_token": KEY.telegram_token, "chat_id": "-5", **settings}, HttpClient(Counted()))
    assert caught.value.code == code


def test_only_the_token_is_secret() -> None:
    assert Telegram.secret_names() == {"bot_token"}


# --- the check, against a vendor that says what it is told ---


# --- without a network ---


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_escaped_text_reads_as_it_was_written(text: str) -> None:
    shown, entities = parse(escape(text))
    assert shown == text
    assert list(entities) == []


@given(st.text(st.characters()))
def test_length_is_never_below_the_code_points(text: str) -> None:
    assert len(text) <= length(text) <= 2 * len(text)


def test_a_picture_sign_counts_twice() -> None:
    assert length("🎄ё") == 3


@given(st.from_regex(r"\A[1-9][0-9]{5,15}:[A-Za-z0-9_-]{30,60}\Z"))
def test_a_token_cannot_change_the_path(token: str) -> None:
    assert re.fullmatch(r"[0-9]+:[\w-]+", token)
    Telegram({"bot_token": token}, HttpClient(Counted()))
