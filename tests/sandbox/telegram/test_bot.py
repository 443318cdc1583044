"""The stand-in of the Telegram Bot API."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from synkro.sandbox.keys import Keys
from synkro.sandbox.server import Server
from synkro.sandbox.telegram import app as telegram
from synkro.sandbox.telegram.html import ParseError, parse, utf16
from synkro.sandbox.telegram.updates import TOPIC
from tests.support.having import assert_entries

KEYS = Keys()
CHAT = KEYS.telegram_chat_id


@pytest.fixture
def url() -> Iterator[str]:
    server = Server(telegram.create_app(KEYS))
    yield server.url
    server.stop()


def call(url: str, method: str, token: str = KEYS.telegram_token, **params: Any) -> requests.Response:
    return requests.post(f"{url}/bot{token}/{method}", json=params, timeout=60)


def send(url: str, text: str = "Отчёт", **params: Any) -> requests.Response:
    return call(url, "sendMessage", **{"chat_id": CHAT, "text": text, "parse_mode": "HTML", **params})


def order(url: str, fault: str, **extra: Any) -> None:
    requests.post(f"{url}/__control", json={"fault": fault, **extra}, timeout=60).raise_for_status()


def assert_error(answer: requests.Response, status: int, description: str) -> None:
    assert answer.status_code == status
    assert_entries(answer.json(), ok=False, error_code=status, description=description)


class TestToken:
    @pytest.mark.parametrize(
        ("token", "status", "description"),
        [
            ("7000000001:another", 401, "Unauthorized"),
            ("0700:x", 404, "Not Found"),
            ("no-colon", 404, "Not Found"),
        ],
    )
    def test_another_token_opens_nothing(self, url: str, token: str, status: int, description: str) -> None:
        assert_error(call(url, "getMe", token), status, description)

    def test_a_revoked_token_is_refused(self, url: str) -> None:
        order(url, "revoke_token")
        assert_error(call(url, "getMe"), 401, "Unauthorized")

    def test_methods_are_known_in_any_case(self, url: str) -> None:
        assert call(url, "GETME").json()["result"]["username"] == "synkro_practice_bot"

    def test_unknown_method_is_404(self, url: str) -> None:
        assert_error(call(url, "sendDice"), 404, "Not Found: method not found")


class TestChats:
    @pytest.mark.parametrize(
        ("chat", "description"),
        [
            ("", "chat_id is empty"),
            (-5, "chat not found"),
            ("@other", "chat not found"),
            ("nonsense", "chat not found"),
        ],
    )
    def test_unknown_chats_are_refused(self, url: str, chat: Any, description: str) -> None:
        assert_error(send(url, chat_id=chat), 400, f"Bad Request: {description}")

    def test_the_group_and_the_bots_place_in_it_can_be_asked_for(self, url: str) -> None:
        bot = call(url, "getMe").json()["result"]["id"]
        assert call(url, "getChat", chat_id=CHAT).json()["result"]["is_forum"]
        assert call(url, "getChatMember", chat_id=CHAT, user_id=bot).json()["result"]["status"] == "member"

    def test_the_old_group_names_its_new_id(self, url: str) -> None:
        answer = send(url, chat_id=telegram.OLD_GROUP)
        assert_error(answer, 400, "Bad Request: group chat was upgraded to a supergroup chat")
        assert answer.json()["parameters"] == {"migrate_to_chat_id": CHAT}

    def test_after_a_migration_only_the_new_id_works(self, url: str) -> None:
        order(url, "migrate", value=-1002000000009)
        assert [send(url).status_code, send(url).status_code] == [400, 400]
        assert send(url, chat_id=-1002000000009).status_code == 200

    @pytest.mark.parametrize("method", ["getChat", "sendMessage"])
    def test_a_kicked_bot_is_told_so(self, url: str, method: str) -> None:
        order(url, "kicked")
        answer = call(url, method, chat_id=CHAT, text="x")
        assert_error(answer, 403, "Forbidden: bot was kicked from the supergroup chat")

    @pytest.mark.parametrize(
        ("fault", "status", "words"),
        [
            ("not_member", 403, "bot is not a member of the supergroup chat"),
            ("topic_closed", 400, "TOPIC_CLOSED"),
            ("thread_not_found", 400, "message thread not found"),
            ("no_rights", 400, "not enough rights to send text messages to the chat"),
            ("parse_error", 400, "can't parse entities"),
            ("restart", 500, "restart"),
        ],
    )
    def test_a_refused_message_is_not_stored(self, url: str, fault: str, status: int, words: str) -> None:
        order(url, fault)
        answer = send(url)
        assert answer.status_code == status
        assert words in answer.json()["description"]
        assert requests.get(f"{url}/__sent", timeout=60).json() == []

    @pytest.mark.parametrize(("thread", "status"), [(TOPIC, 200), (1, 400), (99, 400)])
    def test_only_known_topics_take_messages(self, url: str, thread: int, status: int) -> None:
        assert send(url, message_thread_id=thread).status_code == status

    @pytest.mark.parametrize(("extra", "status"), [({}, 400), ({"allow_sending_without_reply": True}, 200)])
    def test_reply_to_a_missing_message(self, url: str, extra: dict[str, Any], status: int) -> None:
        assert send(url, reply_parameters={"message_id": 5, **extra}).status_code == status


class TestText:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("<h1>x</h1>", 'Unsupported start tag "h1" at byte offset 0'),
            ("Ответ: 1 < 2", 'Unsupported start tag "" at byte offset 14'),
            ("я<b", "Unclosed start tag at byte offset 2"),
            ("<a href='x", "Unclosed start tag at byte offset 0"),
            ("</b>", "Unexpected end tag at byte offset 0"),
            ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
            ("<b>x</b", "Unclosed end tag at byte offset 4"),
            ("<i><b>x</b>", 'Can\'t find end tag corresponding to start tag "i"'),
            ("<a href=x!y>z</a>", "Unexpected end of name token at byte offset 8"),
            ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
            ("<b =x>y</b>", 'Empty attribute name in the tag "b" at byte offset 0'),
        ],
    )
    def test_bad_html_is_refused_with_its_place(self, url: str, text: str, reason: str) -> None:
        assert_error(send(url, text), 400, f"Bad Request: can't parse entities: {reason}")

    def test_good_html_becomes_entities(self, url: str) -> None:
        message = send(url, '\n😀 <b>Итог</b> &lt;1&gt; <a href="https://example.test/?a=1&amp;b=2">ссылка</a>').json()[
            "result"
        ]
        assert message["text"] == "😀 Итог <1> ссылка"
        assert message["entities"] == [
            {"offset": 3, "length": 4, "type": "bold"},
            {"offset": 12, "length": 6, "type": "text_link", "url": "https://example.test/?a=1&b=2"},
        ]

    @pytest.mark.parametrize(
        ("text", "description"),
        [
            ("", "message text is empty"),
            (" \n ", "text must be non-empty"),
            ("<b></b>", "text must be non-empty"),
            ("я" * 4097, "message is too long"),
            ("я" * 16_385, "text is too long"),
            ("\ud800", "strings must be encoded in UTF-8"),
        ],
    )
    def test_text_out_of_bounds_is_refused(self, url: str, text: str, description: str) -> None:
        assert_error(send(url, text), 400, f"Bad Request: {description}")

    def test_tags_do_not_count_for_the_length(self, url: str) -> None:
        assert send(url, f"<b>{'😀' * 4096}</b>").status_code == 200

    def test_without_a_mode_nothing_is_parsed(self, url: str) -> None:
        assert send(url, "<h1>", parse_mode="").json()["result"]["text"] == "<h1>"

    def test_unknown_mode_is_refused(self, url: str) -> None:
        assert_error(send(url, parse_mode="BBCode"), 400, "Bad Request: unsupported parse_mode")

    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def test_escaped_text_comes_back_as_it_was(self, text: str) -> None:
        shown, entities = parse(html.escape(text))
        assert shown == text
        assert entities == []

    @given(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text(st.characters(exclude_categories=["Cs"]))
    )
    def test_an_entity_covers_exactly_its_text(self, inside: str, before: str) -> None:
        entity = {"offset": utf16(before), "length": utf16(inside), "type": "bold"}
        shown, entities = parse(f"{html.escape(before)}<b>{html.escape(inside)}</b>")
        assert shown == before + inside
        assert entities == [entity]

    @given(
        st.lists(st.sampled_from(["<", ">", "/", "b", "a", " ", "=", '"', "&", "lt;", "я", "href", "\0"])).map("".join)
    )
    def test_any_text_is_parsed_or_refused(self, text: str) -> None:
        try:
            plain, entities = parse(text)
        except ParseError:
            return
        assert all(one["offset"] + one["length"] <= utf16(plain) for one in entities)


class TestDocuments:
    def test_a_document_is_stored_with_its_caption(self, url: str) -> None:
        answer = requests.post(
            f"{url}/bot{KEYS.telegram_token}/sendDocument",
            data={"chat_id": CHAT, "caption": "<i>Отчёт</i>", "parse_mode": "HTML"},
            files={"document": ("report.html", b"<p>1</p>", "text/html")},
            timeout=60,
        ).json()["result"]
        assert answer["caption"] == "Отчёт"
        assert answer["document"]["file_size"] == 8

    def test_a_long_caption_is_refused(self, url: str) -> None:
        answer = requests.post(
            f"{url}/bot{KEYS.telegram_token}/sendDocument",
            data={"chat_id": CHAT, "caption": "я" * 1025},
            files={"document": ("report.html", b"1", "text/html")},
            timeout=60,
        )
        assert_error(answer, 400, "Bad Request: message caption is too long")

    def test_a_call_without_a_file_is_refused(self, url: str) -> None:
        assert call(url, "sendDocument", chat_id=CHAT).status_code == 400


class TestFlood:
    @pytest.mark.usefixtures("standing")
    def test_the_fourth_message_in_a_row_waits(self, url: str) -> None:
        answers = [send(url) for _ in range(4)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429]
        after = answers[3].json()["parameters"]["retry_after"]
        assert answers[3].headers["Retry-After"] == str(after)
        assert after == 3

    def test_counting_can_be_switched_off(self, url: str) -> None:
        requests.post(f"{url}/__control", json={"set": {"flood": False}}, timeout=60)
        assert {send(url).status_code for _ in range(25)} == {200}

    def test_a_wait_can_be_ordered(self, url: str) -> None:
        order(url, "flood", value=40)
        answer = send(url)
        assert_error(answer, 429, "Too Many Requests: retry after 40")


class TestUpdates:
    def test_the_queue_tells_where_the_bot_was_added(self, url: str) -> None:
        updates = call(url, "getUpdates").json()["result"]
        assert [next(iter(one.keys() - {"update_id"})) for one in updates] == ["my_chat_member", "message"]
        assert updates[1]["message"]["chat"]["id"] == CHAT

    def test_what_is_said_in_the_group_is_heard(self, url: str) -> None:
        order(url, "say", value="/start@synkro_practice_bot 4711")
        assert call(url, "getUpdates").json()["result"][-1]["message"]["text"].endswith("4711")

    def test_only_commands_are_heard_in_privacy_mode(self, url: str) -> None:
        for text in ("Добрый день", "/start@another_bot 1", "/help"):
            order(url, "say", value=text)
        assert [one.get("message", {}).get("text") for one in call(url, "getUpdates").json()["result"]][2:] == ["/help"]

    def test_somebody_can_speak_in_a_group_of_their_own(self, url: str) -> None:
        order(url, "say", value={"text": "/start", "chat": -77, "title": "Отдел", "kind": "group"})
        told = call(url, "getUpdates").json()["result"][-1]["message"]
        assert told["chat"] == {"id": -77, "title": "Отдел", "type": "group"}
        assert send(url, chat_id=-77).status_code == 200

    def test_a_bot_that_was_thrown_out_is_told_so_and_may_not_write(self, url: str) -> None:
        order(url, "remove", value=CHAT)
        told = call(url, "getUpdates").json()["result"][-1]["my_chat_member"]
        assert told["new_chat_member"]["status"] == "kicked"
        assert send(url).status_code == 403

    def test_an_upgraded_group_says_where_it_went(self, url: str) -> None:
        order(url, "upgrade", value={"chat": CHAT, "to": -1009})
        old, new = call(url, "getUpdates").json()["result"][-2:]
        assert old["message"]["migrate_to_chat_id"] == -1009
        assert new["message"]["chat"]["id"] == -1009
        assert send(url).json()["parameters"] == {"migrate_to_chat_id": -1009}

    def test_another_program_that_asks_is_a_conflict(self, url: str) -> None:
        order(url, "rival")
        assert [call(url, "getUpdates").status_code for _ in range(2)] == [409, 200]

    def test_an_offset_confirms_what_came_before(self, url: str) -> None:
        last = call(url, "getUpdates").json()["result"][-1]["update_id"]
        assert len(call(url, "getUpdates", offset=last).json()["result"]) == 1
        assert len(call(url, "getUpdates").json()["result"]) == 1

    def test_peeking_confirms_nothing(self, url: str) -> None:
        assert [len(call(url, "getUpdates", limit=limit).json()["result"]) for limit in (1, 100)] == [1, 2]

    def test_a_webhook_of_others_is_a_conflict(self, url: str) -> None:
        order(url, "webhook", times=-1)
        assert call(url, "getWebhookInfo").json()["result"]["url"] == "https://example.test/hook"
        assert call(url, "getUpdates").status_code == 409
