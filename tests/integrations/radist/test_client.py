"""Radist.Online against its emulator: the chat list, paging of messages, refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from synkro.infra.records import Chat, Message
from synkro.integrations.errors import ApiError, Busy, ChoiceDue, Gone, Nonsense, Refused
from synkro.integrations.radist.client import Radist
from synkro.sandbox import world as practice
from synkro.sandbox.radist.app import create_app
from synkro.sandbox.world import World
from tests.support.emulators import NOW, Counted, Emulator, Paced, Start, client_to
from tests.support.having import assert_has

START, END = NOW - timedelta(days=1), NOW
Connect = Callable[..., tuple[Radist, Emulator]]


def talk(world: World, times: list[datetime]) -> World:
    """A company with one chat, whose messages were sent at these times, the oldest first."""
    messages = tuple(
        practice.Message(f"m{n:04d}", at, "outbound" if n % 3 else "inbound", f"text {n}") for n, at in enumerate(times)
    )
    chat = practice.Chat(10_000_001, world.connections[0].id, "77010000001@c.us", "Client", "77010000001", messages)
    return replace(world, radist_contacts=(practice.RadistContact(20_000_001, "Client", (chat,)),))


def minutes(count: int, every: timedelta = timedelta(minutes=1)) -> list[datetime]:
    return [NOW - every * (count - n) for n in range(count)]


@pytest.fixture
def connect(start: Start) -> Connect:
    def begin(world: World, pacer: Any = None, **settings: Any) -> tuple[Radist, Emulator]:
        emulator = start(create_app(world))
        emulator.set(**{"strict_rate": False, **settings})
        return Radist({"api_key": world.radist_key}, client_to(pacer or Counted(), radist=emulator)), emulator

    return begin


@pytest.fixture
def demo(connect: Connect, world: World) -> tuple[Radist, Emulator]:
    return connect(world)


def all_chats(radist: Radist, limit: int = 100) -> list[Chat]:
    page = radist.chats(limit=limit)
    contacts = list(page.contacts)
    while page.next_cursor is not None:
        page = radist.chats(page.next_cursor, limit=limit)
        contacts += page.contacts
    return [chat for contact in contacts for chat in contact]


def read(radist: Radist, start: datetime = START, end: datetime = END) -> list[Message]:
    """The only chat's messages as a reader would order them."""
    found = list(radist.messages(all_chats(radist)[0], start, end))
    return sorted(found, key=lambda message: (message.at, message.position))


# The chat list


@pytest.mark.parametrize("limit", [1, 3, 100])
@pytest.mark.parametrize("wrap", ["as_seen", "data", "items"])
@pytest.mark.parametrize("order", ["unanswered_first", "recent"])
def test_every_chat_of_the_list_comes_once(limit: int, wrap: str, order: str, connect: Connect, world: World) -> None:
    radist, _ = connect(world, wrap=wrap, chats_order=order)
    found = all_chats(radist, limit)
    expected = {chat.id: chat for person in world.radist_contacts for chat in person.chats}
    assert sorted(chat.id for chat in found) == sorted(expected)
    for chat in found:
        model = expected[chat.id]
        assert_has(chat, connection_id=model.connection_id, source_chat_id=model.source_chat_id)
        assert_has(chat, username=model.username, is_group=model.is_group)
        assert chat.last_at == (model.messages[-1].at if model.messages else chat.last_at)


def test_a_cursor_that_goes_nowhere_ends_the_list(connect: Connect, world: World) -> None:
    radist, _ = connect(world, cursor_loop=True)
    first = radist.chats(limit=2)
    second = radist.chats(first.next_cursor, limit=2)
    assert second.next_cursor is None


def test_a_whatsapp_chat_without_a_phone_field_is_known_by_its_source(connect: Connect, world: World) -> None:
    one = talk(world, minutes(1))
    chat = replace(one.radist_contacts[0].chats[0], phone=None)
    silent = replace(one, radist_contacts=(replace(one.radist_contacts[0], chats=(chat,)),))
    assert all_chats(connect(silent)[0])[0].phone == "77010000001"


# Messages


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("ties", [0, 3, 7, 90])
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 330])
def test_every_message_comes_once_and_in_order(
    inclusive: bool, order: str, ties: int, count: int, connect: Connect, world: World
) -> None:
    one = talk(world, minutes(count))
    radist, _ = connect(one, until_inclusive=inclusive, order=order, ties=ties)
    assert [message.id for message in read(radist)] == [f"m{n:04d}" for n in range(count)]


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("ties", [0, 3, 7])
@pytest.mark.parametrize("count", [10, 20, 95])
def test_a_server_that_gives_less_than_asked_for_loses_nothing(
    inclusive: bool, ties: int, count: int, connect: Connect, world: World
) -> None:
    radist, _ = connect(talk(world, minutes(count)), until_inclusive=inclusive, ties=ties, page_cap=10)
    assert [message.id for message in read(radist)] == [f"m{n:04d}" for n in range(count)]


@pytest.mark.parametrize("inclusive", [True, False])
def test_a_page_of_one_moment_hides_nothing_that_is_older(inclusive: bool, connect: Connect, world: World) -> None:
    at = NOW - timedelta(hours=1)
    times = [at - timedelta(microseconds=1)] * 50 + [at] * 100
    radist, _ = connect(talk(world, times), until_inclusive=inclusive)
    assert len(read(radist)) == 150


def test_a_short_page_after_full_ones_is_known_to_be_the_last(connect: Connect, world: World) -> None:
    radist, emulator = connect(talk(world, minutes(330)))
    read(radist)
    assert len([entry for entry in emulator.requests() if entry["path"].endswith("/messages/")]) == 4


@pytest.mark.parametrize("naive", [True, False])
def test_the_start_belongs_to_the_window_and_the_end_does_not(naive: bool, connect: Connect, world: World) -> None:
    times = minutes(300)
    radist, _ = connect(talk(world, times), naive_timestamps=naive)
    found = read(radist, times[100], times[250])
    # an outbound time keeps its microseconds, an inbound one has none
    assert [message.at for message in found] == times[100:250]


def test_reading_stops_below_the_window(connect: Connect, world: World) -> None:
    times = minutes(1000)
    radist, emulator = connect(talk(world, times))
    assert len(read(radist, NOW - timedelta(minutes=30), NOW)) == 30
    assert len([entry for entry in emulator.requests() if entry["path"].endswith("/messages/")]) == 1


def test_a_message_is_joined_to_the_chat_it_was_asked_for(connect: Connect, world: World) -> None:
    radist, _ = connect(talk(world, minutes(3)))
    first = read(radist)[0]
    assert_has(first, chat_id=10_000_001, connection_id=world.connections[0].id)
    assert_has(first, text="text 0", direction="in", kind="text", failed=False)


def test_a_type_that_nobody_knows_keeps_its_place(connect: Connect, world: World) -> None:
    radist, _ = connect(talk(world, minutes(3)), unknown_type="hologram")
    last = read(radist)[-1]
    assert_has(last, kind="hologram", text="[hologram]")


@pytest.mark.parametrize("kind", ["image", "voice", "file", "video", "audio"])
def test_a_file_is_named_by_kind_and_caption_and_never_by_its_address(
    kind: str, connect: Connect, world: World
) -> None:
    one = talk(world, minutes(1))
    person = one.radist_contacts[0]
    message = replace(person.chats[0].messages[0], kind=kind, text="our plan")
    chat = replace(person.chats[0], messages=(message,))
    radist, _ = connect(replace(one, radist_contacts=(replace(person, chats=(chat,)),)))
    assert read(radist)[0].text == f"[{kind}] our plan"


# Refusals, pace, check


@pytest.mark.parametrize(
    ("settings", "kind", "code"),
    [
        ({"revoked": True}, Refused, "radist_key_refused"),
        ({"scopes": ["connections"]}, Refused, "radist_no_rights"),
        ({"max_limit": 9}, Gone, "radist_rejected"),
    ],
)
def test_a_refusal_is_told_in_our_words_and_not_repeated(
    settings: dict[str, Any], kind: type[ApiError], code: str, connect: Connect, world: World
) -> None:
    radist, emulator = connect(world, **settings)
    radist.settings = {**radist.settings, "company_id": str(world.radist_company_id)}
    with pytest.raises(kind, match=code):
        radist.chats(limit=10)
    assert len(emulator.requests()) == 1


def test_a_company_that_is_not_there_is_not_found(connect: Connect, world: World) -> None:
    radist, _ = connect(world)
    radist.settings = {**radist.settings, "company_id": "1"}
    with pytest.raises(Gone, match="radist_not_found"):
        radist.chats()


@pytest.mark.parametrize("company", ["1/../2", "7?x=1", "seven", "\u0667", "-1"])
def test_a_company_that_is_no_number_never_gets_into_the_address(company: str, connect: Connect, world: World) -> None:
    radist, emulator = connect(world)
    radist.settings = {**radist.settings, "company_id": company}
    with pytest.raises(ChoiceDue, match="radist_company_elsewhere"):
        radist.check()
    assert [entry["path"] for entry in emulator.requests()] == ["/v2/companies/"]


def test_the_only_company_of_a_key_is_used(demo: tuple[Radist, Emulator], world: World) -> None:
    radist, _ = demo
    radist.chats()
    assert radist.settings["company_id"] == str(world.radist_company_id)


def test_after_429_the_vendors_wait_is_passed_on(connect: Connect, world: World) -> None:
    radist, emulator = connect(world, busy_every=1, retry_after=40)
    with pytest.raises(Busy) as raised:
        radist.choice()
    assert raised.value.retry_after == 40
    assert len(emulator.requests()) == 1


def test_a_429_now_and_then_costs_nothing_but_time(connect: Connect, world: World) -> None:
    radist, _ = connect(talk(world, minutes(330)), busy_every=3)
    assert len(read(radist)) == 330


@pytest.mark.parametrize("fault", ["500", "502_html", "503", "drop", "drop_after", "429", "429_html"])
def test_a_passing_failure_costs_nothing_but_time(fault: str, connect: Connect, world: World) -> None:
    radist, emulator = connect(talk(world, minutes(150)))
    emulator.fault(fault, path="/messages/", times=2)
    assert len(read(radist)) == 150


@pytest.mark.parametrize("fault", ["broken_json", "html", "empty"])
def test_an_unreadable_answer_is_an_error_and_not_an_empty_chat(fault: str, connect: Connect, world: World) -> None:
    radist, emulator = connect(talk(world, minutes(5)))
    emulator.fault(fault, path="/messages/", times=-1)
    with pytest.raises(Nonsense):
        read(radist)


def test_chats_count_against_both_limits_and_messages_against_one(connect: Connect, world: World) -> None:
    pacer = Counted()
    radist, _ = connect(talk(world, minutes(3)), pacer)
    radist.settings = {**radist.settings, "company_id": str(world.radist_company_id)}
    read(radist)
    assert [key.rpartition(":")[2] for key in pacer.keys] == ["chats 0.9", *["all 4.5"] * (len(pacer.keys) - 1)]
    assert not any(world.radist_key in key for key in pacer.keys)


def test_at_our_pace_the_vendor_never_says_429(connect: Connect, world: World) -> None:
    radist, emulator = connect(talk(world, minutes(330)), Paced(), strict_rate=True)
    assert len(read(radist)) == 330
    assert {entry["status"] for entry in emulator.requests()} == {200}


def test_the_check_is_green_after_reading_a_message(demo: tuple[Radist, Emulator]) -> None:
    radist, emulator = demo
    assert_has(radist.check(), colour="green", code="radist_ok")
    assert [entry["path"].split("/")[-2] for entry in emulator.requests()[:4]] == [
        "companies",
        "sources",
        "with_contacts",
        "messages",
    ]
    assert "limit=1&" in emulator.requests()[3]["query"]  # whose chat it is nobody knows yet


def test_the_check_looks_behind_a_contact_without_chats(connect: Connect, world: World) -> None:
    one = talk(world, [NOW - timedelta(days=99)])
    empty = practice.RadistContact(19_999_999, "Nobody", ())
    radist, _ = connect(replace(one, radist_contacts=(empty, *one.radist_contacts)), chats_order="recent")
    assert radist.chats(limit=1).contacts == ((),)
    assert radist.check().colour == "green"
    assert len(radist.sample()) == 1


def test_a_key_without_messengers_or_chats_is_yellow(connect: Connect, world: World) -> None:
    assert connect(replace(world, connections=()))[0].check().code == "radist_no_messengers"
    assert connect(replace(world, radist_contacts=()))[0].check().code == "radist_no_chats"


def test_the_sample_shows_no_phone(connect: Connect, world: World) -> None:
    one = talk(world, minutes(1))
    person = one.radist_contacts[0]
    chat = replace(person.chats[0], name="+7 701 000 00 01")
    radist, _ = connect(replace(one, radist_contacts=(replace(person, chats=(chat,)),)))
    sample = radist.sample()
    assert len(sample) == 1
    assert "7010000" not in "".join(ch for ch in repr(sample) if ch.isdecimal())


def test_a_server_with_smaller_pages_is_read_whole(connect: Connect, world: World) -> None:
    radist, emulator = connect(talk(world, minutes(130)), max_limit=50)
    (chat,) = all_chats(radist)
    assert len(list(radist.messages(chat, START, END))) == 130
    refused = [entry for entry in emulator.requests() if entry["status"] == 422]
    assert len(refused) == 1


def test_nothing_but_get_is_ever_made(demo: tuple[Radist, Emulator]) -> None:
    radist, emulator = demo
    radist.check()
    radist.sample()
    assert {entry["method"] for entry in emulator.requests()} == {"GET"}


def test_nothing_but_get_can_be_sent(demo: tuple[Radist, Emulator]) -> None:
    radist, emulator = demo
    with pytest.raises(ValueError, match="GET only"):
        radist.http.post("/companies/", {})
    assert emulator.requests() == []
