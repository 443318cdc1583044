"""Radist.Online where it answers unlike the emulator: any shape, any time, any tie."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from flask import Flask, Response, request
from hypothesis import given
from hypothesis import strategies as st

from synkro.infra.records import Chat
from synkro.integrations.errors import SENTENCES, Nonsense, Refused
from synkro.integrations.http.calls import HttpAnswer
from synkro.integrations.radist.client import Radist, _check_answer
from synkro.integrations.radist.shapes import chats_of, message_of
from tests.support.emulators import NOW, Counted, Emulator, Start, client_to
from tests.support.having import assert_has

START, END = NOW - timedelta(days=1), NOW


@given(st.data())
def test_any_window_is_cut_exactly(vendor: Vendor, data: st.DataObject) -> None:
    times = sorted(data.draw(st.lists(st.integers(0, 50), max_size=60)))
    inclusive = data.draw(st.booleans())
    low, high = sorted(data.draw(st.tuples(st.integers(0, 50), st.integers(0, 50))))
    rows = [{"message_id": str(n), "created_at": stamp(at), "direction": "inbound"} for n, at in enumerate(times)]
    found = list(vendor.listing(rows, inclusive=inclusive).messages(CHAT, moment(low), moment(high)))
    assert sorted(int(message.id) for message in found) == [n for n, at in enumerate(times) if low <= at < high]


CHAT = Chat(1, 1, 1, "1@c.us", "", None)


def moment(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def stamp(seconds: int) -> str:
    return moment(seconds).isoformat()


class Vendor:
    """A vendor that gives to every call what the test says. answer: from the query of the call to JSON."""

    def __init__(self) -> None:
        self.answer: Callable[[Mapping[str, str]], Any] = dict
        app = Flask("vendor")
        app.before_request(lambda: Response(json.dumps(self.answer(request.args)), content_type="application/json"))
        self.emulator = Emulator(app)
        self._door = client_to(Counted(), radist=self.emulator)

    def listing(self, rows: list[dict[str, Any]], *, inclusive: bool) -> Radist:
        """These rows, the oldest first, as the messages of any chat."""

        def page(query: Mapping[str, str]) -> list[dict[str, Any]]:
            until = datetime.fromisoformat(query["until"])
            times = [datetime.fromisoformat(row["created_at"]) for row in rows]
            return [row for row, at in zip(rows, times, strict=True) if at < until or (inclusive and at == until)][
                ::-1
            ][:100]

        self.answer = page
        return self.radist()

    def saying(self, payload: Any) -> Radist:
        self.answer = lambda _query: payload
        return self.radist()

    def radist(self) -> Radist:
        return Radist({"api_key": "k", "company_id": "1"}, self._door)


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    running = Vendor()
    yield running
    running.emulator.stop()


def test_rows_without_id_time_or_side_are_counted(vendor: Vendor) -> None:
    whole = {"message_id": "1", "created_at": stamp(5), "direction": "inbound"}
    broken = [{**whole, "message_id": None}, {**whole, "created_at": "soon"}, {**whole, "direction": "?"}]
    radist = vendor.saying([whole, *broken])
    assert [message.id for message in radist.messages(CHAT, moment(0), moment(9))] == ["1"]
    assert radist.unreadable == 3


# One chat of the list, with everything but these values as a WhatsApp chat has it


def listed(*rows: dict[str, Any], **item: Any) -> tuple[Chat, ...]:
    chats = [{"chat_id": place, "connection_id": 1, **row} for place, row in enumerate(rows, start=1)]
    return chats_of({"contact_id": 1, "contact_name": "Client", "chats": chats, **item})


PHONE = "77010000001"


@pytest.mark.parametrize(
    ("row", "item", "phone"),
    [
        ({"phone": "+7 701 000-00-01", "source_chat_id": "77020000002@c.us"}, {}, PHONE),
        ({"phone": None, "contact": {"phone": "+77010000001"}}, {}, PHONE),
        ({"phone": 77010000001}, {}, PHONE),
        ({"source_chat_id": "77010000001"}, {}, PHONE),  # WABA
        ({"source_chat_id": "77010000001@c.us"}, {}, PHONE),
        ({"source_chat_id": "77010000001@s.whatsapp.net"}, {}, PHONE),
        ({"source_chat_id": "77010000001:12@s.whatsapp.net"}, {}, PHONE),
        ({"phone": "", "source_chat_id": "77010000001@c.us"}, {"phone": "77020000002"}, PHONE),
        ({}, {"phone": "+7 701 000 00 01"}, PHONE),
        ({}, {"contact": {"phone": "77010000001"}}, PHONE),
        ({}, {"phones": [{"type": "work", "value": "+77010000001"}]}, PHONE),
        ({}, {"phones": [None, {}, "12", "77010000001"]}, PHONE),
        ({"source_chat_id": "77010000001-1500000000@g.us"}, {}, None),
        ({"source_chat_id": "12036304123@g.us"}, {}, None),
        ({"source_chat_id": "77010000001@lid"}, {}, None),
        ({"source_chat_id": "7010000001", "username": "test_client"}, {}, None),  # Telegram
        ({"source_chat_id": "-1001234567890"}, {}, None),
        ({"phone": "77010000001, 77020000002"}, {}, None),
        ({}, {}, None),
    ],
)
def test_a_phone_is_found_wherever_it_stands(row: dict[str, Any], item: dict[str, Any], phone: str | None) -> None:
    assert [chat.phone for chat in listed(row, **item)] == [phone]


def test_a_group_is_known_by_its_id() -> None:
    assert [chat.is_group for chat in listed({"source_chat_id": "120@g.us"}, {"source_chat_id": "120@c.us"})] == [
        True,
        False,
    ]


@pytest.mark.parametrize("name", ["created_at", "createdAt", "date"])
def test_the_time_of_the_last_message_has_several_names(name: str) -> None:
    (chat,) = listed({"last_message": {name: stamp(7), "direction": "in"}}, last_chat_updated_at=stamp(9))
    assert_has(chat, last_at=moment(7), last_direction="in")


def test_only_a_chat_without_sisters_takes_its_contacts_time() -> None:
    empty, spoken = {"last_message": None}, {"last_message": {"created_at": stamp(5), "direction": "inbound"}}
    assert [chat.last_at for chat in listed(empty, last_chat_updated_at=stamp(5))] == [moment(5)]
    assert [chat.last_at for chat in listed(empty, spoken, last_chat_updated_at=stamp(5))] == [None, moment(5)]


def test_names_come_clean_and_bounded() -> None:
    (chat,) = listed({"name": "A\x00s\ud83del\u202e\x07" + "y" * 999, "username": "as\x00el\ud800", "phone": PHONE})
    assert chat.name[:5] == "Asely"
    assert len(chat.name) == 300
    assert chat.username == "asel"


@pytest.mark.parametrize("row", [{"chat_id": None, "id": 7}, {"chat_id": "77010000001@c.us", "id": "7"}])
def test_a_chat_is_known_by_either_id(row: dict[str, Any]) -> None:
    assert [chat.id for chat in listed(row)] == [7]


SAID = {"message_id": "m", "created_at": stamp(5), "direction": "inbound", "message_type": "text"}


@pytest.mark.parametrize(
    "words",
    [
        {"text": {"text": "hello"}},
        {"text": {"body": "hello"}},
        {"text": "hello"},
        {"body": {"text": "hello"}},
        {"body": "hello"},
        {"text": {}, "body": "hello"},
        {"text": None, "body": "hello"},
    ],
)
def test_words_are_found_in_each_of_their_forms(words: dict[str, Any]) -> None:
    message = message_of({**SAID, **words}, CHAT, 0)
    assert message is not None
    assert message.text == "hello"


@pytest.mark.parametrize(
    ("side", "direction"),
    [
        ({"direction": "in"}, "in"),
        ({"direction": "Incoming"}, "in"),
        ({"from_me": False}, "in"),
        ({"direction": "out"}, "out"),
        ({"direction": "outgoing"}, "out"),
        ({"from_me": True}, "out"),
    ],
)
def test_a_side_is_told_by_each_of_its_words(side: dict[str, Any], direction: str) -> None:
    message = message_of({**SAID, "direction": None, **side}, CHAT, 0)
    assert message is not None
    assert message.direction == direction


@pytest.mark.parametrize("names", [{"type": "text", "message_type": None}, {"message_type": "text", "type": "x"}])
def test_a_type_has_two_names(names: dict[str, Any]) -> None:
    message = message_of({**SAID, **names, "text": "hello"}, CHAT, 0)
    assert message is not None
    assert message.kind == "text"


@pytest.mark.parametrize("name", ["created_at", "createdAt", "date"])
def test_the_order_of_a_page_is_seen_under_every_name_of_time(vendor: Vendor, name: str) -> None:
    """An oldest-first page of two ties: which of them came first is told by where they stand."""
    seconds = [1, 2, 2, 3]
    oldest_first = [{**SAID, "created_at": None, "message_id": str(n), name: stamp(at)} for n, at in enumerate(seconds)]
    found = list(vendor.saying(oldest_first).messages(CHAT, START, END))
    assert [message.id for message in sorted(found, key=lambda m: (m.at, m.position))] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("cursor", ["a\ud800", "a\x00", "x" * 5_000])
def test_a_cursor_that_could_not_be_sent_back_is_nonsense(vendor: Vendor, cursor: str) -> None:
    with pytest.raises(Nonsense):
        vendor.saying({"data": [], "response_metadata": {"next_cursor": cursor}}).chats()


def odd(start: Start, **answers: Any) -> Radist:
    """A vendor that gives these answers: by the last part of the path."""
    app = Flask("odd")
    paths = {
        "companies": "/v2/companies/",
        "sources": "/v2/companies/1/messaging/chats/sources/",
        "chats": "/v2/companies/1/messaging/chats/with_contacts/",
        "messages": "/v2/companies/1/messaging/messages/",
    }
    given_answers = {"companies": {"companies": [{"id": 1}]}, **answers}
    for name, answer in given_answers.items():
        app.add_url_rule(paths[name], name, lambda answer=answer: answer)
    return Radist({"api_key": "k"}, client_to(Counted(), radist=start(app)))


@pytest.mark.parametrize(("rows", "code"), [([], "radist_no_company"), ([1, 2], "radist_choose_company")])
def test_a_company_is_never_guessed(rows: list[int], code: str, start: Start) -> None:
    with pytest.raises(Refused, match=code):
        odd(start, companies={"companies": [{"id": n, "name": "Company"} for n in rows]}).chats()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def rows(*names: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    value = st.one_of(JSON, st.lists(st.dictionaries(st.sampled_from(names), JSON), max_size=3))
    return st.lists(st.dictionaries(st.sampled_from(names), value), max_size=4)


CHAT_NAMES = ("contact_id", "id", "chats", "chat_id", "last_message", "phone", "created_at", "source_chat_id", "name")
MESSAGE_NAMES = ("message_id", "created_at", "direction", "message_type", "text", "image", "from_me", "body", "date")


@given(rows(*CHAT_NAMES))
def test_a_chat_list_of_any_shape_is_chats_or_nonsense(vendor: Vendor, payload: list[dict[str, Any]]) -> None:
    try:
        page = vendor.saying(payload).chats()
    except Nonsense:
        return
    assert all(isinstance(chat.id, int) for contact in page.contacts for chat in contact)


@given(rows(*MESSAGE_NAMES), st.booleans())
def test_messages_of_any_shape_are_messages_or_counted(
    vendor: Vendor, payload: list[dict[str, Any]], wrapped: bool
) -> None:
    radist = vendor.saying({"data": payload} if wrapped else payload)
    found = list(radist.messages(CHAT, datetime.min.replace(tzinfo=UTC) + timedelta(days=2), NOW))
    assert all(message.at.tzinfo is not None and isinstance(message.text, str) for message in found)


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))])))
def test_any_time_with_any_zone_is_read(vendor: Vendor, at: datetime) -> None:
    rows_ = [{"message_id": "1", "created_at": at.isoformat(), "direction": "inbound"}]
    found = list(vendor.saying(rows_).messages(CHAT, START, END))
    assert len(found) == (START <= at < END)


@given(st.integers(100, 599), st.binary(max_size=60))
def test_every_answer_is_judged(status: int, body: bytes) -> None:
    failure = _check_answer(HttpAnswer(status, {}, body, "Radist"))
    assert (failure is None) == (status < 300)
    assert failure is None or failure.code in {**SENTENCES, **Radist.sentences}
