"""The practice companies hold what the rest of the tests and a person trying the product count on."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synkro.sandbox.big import big_world
from synkro.sandbox.demo.world import demo_world
from synkro.sandbox.world import LOST, WON, Chat, Message, World

ALMATY = ZoneInfo("Asia/Almaty")
NOW = datetime(2026, 11, 20, 18, 30, tzinfo=ALMATY)
KAZAKH = set("әғқңөұүһі")


@pytest.fixture(scope="module")
def world() -> World:
    return demo_world(NOW)


def chats(world: World) -> list[Chat]:
    return [chat for person in world.radist_contacts for chat in person.chats]


def messages(world: World) -> list[Message]:
    return [message for chat in chats(world) for message in chat.messages]


def talk(chat: Chat) -> str:
    return " ".join(message.text for message in chat.messages).lower()


def test_the_same_moment_gives_the_same_world(world: World) -> None:
    assert demo_world(NOW) == world


def test_there_are_at_least_two_dozen_different_talks(world: World) -> None:
    assert len({talk(chat) for chat in chats(world) if chat.messages}) >= 24


def test_talks_are_in_russian_and_in_kazakh(world: World) -> None:
    kazakh = [bool(KAZAKH & set(talk(chat))) for chat in chats(world) if chat.messages]
    assert kazakh.count(True) >= 8
    assert kazakh.count(False) >= 15


@pytest.mark.parametrize("days_ago", [0, 1])
def test_today_and_yesterday_have_talks_both_ways(world: World, days_ago: int) -> None:
    day = NOW.date() - timedelta(days_ago)
    assert {m.direction for m in messages(world) if m.at.astimezone(ALMATY).date() == day} == {"inbound", "outbound"}


@settings(max_examples=40, deadline=None)
@given(st.integers(1_704_067_200, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_nothing_lies_in_the_future_and_every_talk_is_in_order(now: datetime) -> None:
    one = demo_world(now)
    midnight = now.astimezone(ALMATY).replace(hour=0, minute=0, second=0, microsecond=0)
    if now - midnight > timedelta(minutes=1):
        assert max(m.at for m in messages(one)) <= now
    assert max(lead.updated_at for lead in one.leads) <= now.timestamp()
    assert all([m.at for m in chat.messages] == sorted(m.at for m in chat.messages) for chat in chats(one))


@pytest.mark.parametrize("seconds", [0, 0.5, 1, 2, 61])
def test_just_after_midnight_the_talks_of_today_are_still_in_order(seconds: float) -> None:
    one = demo_world(datetime(2026, 11, 20, tzinfo=ALMATY) + timedelta(seconds=seconds))
    assert all([m.at for m in chat.messages] == sorted(m.at for m in chat.messages) for chat in chats(one))


def test_deals_are_won_lost_open_deleted_and_unsorted(world: World) -> None:
    unsorted = {(p.id, s.id) for p in world.pipelines for s in p.statuses if s.kind == 1}
    kinds = Counter(
        "deleted" if lead.is_deleted
        else "unsorted" if (lead.pipeline_id, lead.status_id) in unsorted
        else {WON: "won", LOST: "lost"}.get(lead.status_id, "open")
        for lead in world.leads
    )  # fmt: skip
    assert set(kinds) == {"deleted", "unsorted", "won", "lost", "open"}


def test_every_status_and_person_of_a_deal_exists(world: World) -> None:
    statuses = {(p.id, s.id) for p in world.pipelines for s in p.statuses}
    assert all((lead.pipeline_id, lead.status_id) in statuses for lead in world.leads)
    assert {lead.responsible_user_id for lead in world.leads} <= {user.id for user in world.users}


def test_some_deals_lack_a_contact_or_a_phone_or_lost_their_contact(world: World) -> None:
    known = {contact.id: contact for contact in world.contacts}
    assert any(not lead.contact_ids for lead in world.leads)
    assert any(i not in known for lead in world.leads for i in lead.contact_ids)
    assert any(not contact.phones for contact in world.contacts)


def test_some_deals_have_no_price(world: World) -> None:
    assert any(lead.price is None for lead in world.leads)


def test_a_phone_belongs_to_deals_of_two_managers(world: World) -> None:
    last_ten = {c.id: {"".join(filter(str.isdigit, p))[-10:] for p in c.phones} for c in world.contacts}
    owners: dict[str, set[int]] = {}
    for lead in world.leads:
        for phone in {p for i in lead.contact_ids for p in last_ten.get(i, ())}:
            owners.setdefault(phone, set()).add(lead.responsible_user_id)
    assert any(len(managers) > 1 for managers in owners.values())


def test_a_telegram_chat_without_a_phone_has_a_whatsapp_sibling(world: World) -> None:
    assert any({chat.phone is None for chat in person.chats} == {True, False} for person in world.radist_contacts)


def test_there_is_a_group_and_an_empty_thread(world: World) -> None:
    assert any(person.is_group for person in world.radist_contacts)
    assert any(not chat.messages for chat in chats(world))


def test_messages_are_of_every_kind_and_one_has_failed(world: World) -> None:
    kinds = {message.kind for message in messages(world)}
    assert {"text", "image", "voice", "file", "video", "waba_interactive", "sticker"} <= kinds
    assert any(message.failed for message in messages(world))


@pytest.mark.parametrize("piece", ["900101300017", "4111 1111 1111 1111", "@example.com", "игнорируй все", "system:"])
def test_talks_hold_private_data_and_orders_to_the_model(world: World, piece: str) -> None:
    assert any(piece in talk(chat) for chat in chats(world))


def test_ids_are_unique(world: World) -> None:
    for records in (world.leads, world.contacts, chats(world), messages(world), world.radist_contacts):
        assert len({record.id for record in records}) == len(records)


def test_a_big_world_is_made_on_demand() -> None:
    world = big_world(1_000, 600, 1_000_000_000, NOW)
    assert len(world.leads) == 1_000
    assert world.radist_contacts[599].chats[0].messages[999_999_999].at < NOW


def test_messages_of_a_big_world_are_unique_ordered_and_in_the_window() -> None:
    world = big_world(3, 4, 50, NOW, timedelta(hours=6))
    found = messages(world)
    assert len({message.id for message in found}) == 200
    assert all([m.at for m in chat.messages] == sorted(m.at for m in chat.messages) for chat in chats(world))
    assert all(NOW - timedelta(hours=6) <= message.at < NOW for message in found)


def test_a_big_worlds_chats_belong_to_the_phones_of_its_deals() -> None:
    world = big_world(5, 5, 1, NOW)
    assert [f"+{chat.phone}" for chat in chats(world)] == [contact.phones[0] for contact in world.contacts]


def test_a_made_sequence_is_a_sequence() -> None:
    leads = big_world(5, 0, 0, NOW).leads
    assert leads[-1] == leads[4]
    assert leads[1:3] == [leads[1], leads[2]]
    assert len(list(leads)) == 5
