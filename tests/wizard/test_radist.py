"""Radist in the wizard: the dialogs of the three deals, found by phone and written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from synkro.jobs import trials as jobs
from synkro.jobs.acts import radist_search
from synkro.models import Trial
from synkro.records import Contact, Lead
from synkro.sandbox import radist_api
from synkro.sandbox.world import Chat
from synkro.services.connections import checks, integrations, trials
from synkro.tenancy import tenant_scope
from tests.integrations.conftest import short_pauses as short_pauses  # noqa: PLC0414 (a fixture of theirs)
from tests.practice import Practice

WHATSAPP, WABA, TELEGRAM = 7_001, 7_002, 7_003


@pytest.fixture(autouse=True)
def now_of_the_world(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    """The world's messages are recent however late the test is run."""
    monkeypatch.setattr("synkro.jobs.acts.radist.clock", SimpleNamespace(now=lambda: practice.world.now))


def made(practice: Practice, kind: str, act: str, **asked: Any) -> Trial:
    """An act from the request to its outcome."""
    with tenant_scope(practice.tenant.id):
        trial = trials.request(kind, act, asked=asked)
        jobs.try_out(str(practice.tenant.id), str(trial.id))
        done = trials.latest(kind, act)
        assert done is not None
        assert done.id == trial.id
        return done


def result(practice: Practice, trial: Trial) -> dict[str, Any]:
    with tenant_scope(practice.tenant.id):
        return trials.result(trial) or {}


def deals_of(practice: Practice, chats: Sequence[Chat | None], also: Chat | None = None) -> None:
    """amoCRM has shown one deal for each chat, with its phone; for None with a phone that no chat has.

    also: another chat of the first deal.
    """
    phones = [f"+{chat.phone}" if chat else "+7 747 000 00 0" + str(n) for n, chat in enumerate(chats)]
    leads = [
        Lead(100 + n, f"Deal {n}", None, 1, 1, 5, 1_000, 1_000 + n, contact_ids=(200 + n,)) for n in range(len(chats))
    ]
    people = [Contact(200 + n, f"Person {n}", (phone,)) for n, phone in enumerate(phones)]
    if also:
        people[0] = replace(people[0], phones=(*people[0].phones, f"+{also.phone}"))
    shown = {
        "leads": [lead.to_json() for lead in leads],
        "contacts": [contact.to_json() for contact in people],
        "managers": {"5": "Айгуль"},
    }
    with tenant_scope(practice.tenant.id):
        trial = trials.request("amocrm", trials.SAMPLE)
        trials.finish(trial, "green", "amocrm_sample_ok", {"leads": len(leads)}, shown)


def spoken(practice: Practice, connection: int = WHATSAPP) -> list[Chat]:
    """Chats of a messenger in which something was said not long ago, one for each phone."""
    chats = [chat for person in practice.world.radist_contacts for chat in person.chats if not person.is_group]
    begin = practice.world.now - timedelta(days=20)
    recent = [chat for chat in chats if chat.messages and chat.messages[-1].at > begin and chat.phone]
    known = {chat.phone: chat for chat in recent if chat.connection_id == connection}
    alone = [chat for chat in known.values() if sum(chat.phone == other.phone for other in chats) == 1]
    return [chat for chat in alone if len(chat.phone or "") == 11]


def choose(practice: Practice, **values: str) -> None:
    with tenant_scope(practice.tenant.id):
        integrations.save("radist", values, actor="test")


def verbs(practice: Practice) -> set[str]:
    return {entry["method"] for entry in practice.look("radist", "/__requests")}


def test_the_dialogs_of_the_deals_are_found_and_written(practice: Practice) -> None:
    chats = spoken(practice)[:3]
    deals_of(practice, chats)
    sample = made(practice, "radist", "sample")
    assert (sample.colour, sample.code, sample.params["dialogs"]) == ("green", "radist_sample_ok", 3)
    found = result(practice, sample)
    assert {row["chat"]["id"] for row in found["dialogs"]} == {chat.id for chat in chats}
    by_deal = {row["lead_name"]: row for row in found["dialogs"]}
    for n, chat in enumerate(chats):
        row = by_deal[f"Deal {n}"]
        assert (row["lead_id"], row["phone"], row["manager"]) == (100 + n, chat.phone, "Айгуль")
        begin = practice.world.now - timedelta(days=30)
        said = [message.id for message in chat.messages if begin <= message.at < practice.world.now][-50:]
        assert [message["id"] for message in row["messages"]] == said
    write = made(practice, "radist", "write")
    assert (write.colour, write.code) == ("green", "write_ok")
    assert {row["chat_id"]: row["matched_lead_id"] for row in practice.rows("synkro_chats")} == {
        chat.id: 100 + n for n, chat in enumerate(chats)
    }
    messages = practice.rows("synkro_messages")
    assert len(messages) == sum(len(row["messages"]) for row in found["dialogs"]) > 0
    assert {row["run_id"] for row in messages} == {str(write.id)}
    assert write.params["rows"] == len(messages) + 3


def test_nothing_but_get_is_ever_sent(practice: Practice) -> None:
    deals_of(practice, [*spoken(practice)[:1], None])
    with tenant_scope(practice.tenant.id):
        checks.run("radist")
    made(practice, "radist", "sample")
    made(practice, "radist", "sample", newest=True)
    made(practice, "radist", "write")
    assert verbs(practice) == {"GET"}


def test_the_deals_that_amocrm_itself_shows_lead_to_an_outcome(practice: Practice) -> None:
    assert made(practice, "amocrm", "sample").colour == "green"
    sample = made(practice, "radist", "sample")
    assert sample.code in {"radist_sample_ok", "radist_sample_none", "radist_sample_quiet", "radist_sample_no_phones"}


def test_what_is_shown_holds_no_whole_number(practice: Practice) -> None:
    chats = spoken(practice)[:3]
    deals_of(practice, chats)
    shown = json.dumps(result(practice, made(practice, "radist", "sample"))["previews"], ensure_ascii=False)
    assert not [chat.phone for chat in chats if chat.phone and (chat.phone in shown or chat.phone[1:] in shown)]


def test_a_number_in_a_long_text_is_hidden_before_the_text_is_cut(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = radist_api.message_json

    def message_json(*args: Any, **how: Any) -> dict[str, Any]:
        text = "x" * 235 + " 87011234567 " + "y" * 100
        return {**real(*args, **how), "message_type": "text", "text": {"text": text}}

    monkeypatch.setattr(radist_api, "message_json", message_json)
    deals_of(practice, [spoken(practice)[0]])
    (preview,) = result(practice, made(practice, "radist", "sample"))["previews"]
    assert "8701" not in preview["messages"][0]["text"]
    assert len(preview["messages"][0]["text"]) <= 241


def test_the_search_ends_where_every_deal_has_its_chat(practice: Practice) -> None:
    deals_of(practice, [spoken(practice)[0]])
    found = result(practice, made(practice, "radist", "sample"))
    assert (found["partial"], found["contacts_read"] < len(practice.world.radist_contacts)) == (False, True)


def test_of_every_deal_one_dialog_comes_before_a_second_one_of_any(practice: Practice) -> None:
    practice.control("radist", set={"chats_order": "recent"})
    first, second, *_, third, fourth = sorted(spoken(practice), key=lambda chat: chat.messages[-1].at, reverse=True)
    deals_of(practice, [first, third, fourth], second)
    found = result(practice, made(practice, "radist", "sample"))
    assert sorted(row["lead_id"] for row in found["dialogs"]) == [100, 101, 102]


def test_deals_without_a_chat_give_yellow_and_the_newest_on_wish(practice: Practice) -> None:
    deals_of(practice, [None, None, None])
    sample = made(practice, "radist", "sample")
    people = len(practice.world.radist_contacts)
    assert (sample.colour, sample.code, sample.params) == ("yellow", "radist_sample_none", {"contacts": people})
    assert result(practice, sample)["dialogs"] == []
    newest = made(practice, "radist", "sample", newest=True)
    found = result(practice, newest)
    assert (newest.colour, newest.code, found["newest"]) == ("yellow", "radist_sample_newest", True)
    chats = [chat for person in practice.world.radist_contacts for chat in person.chats if not person.is_group]
    latest = sorted((chat for chat in chats if chat.messages), key=lambda chat: chat.messages[-1].at)[-3:]
    assert {row["chat"]["id"] for row in found["dialogs"]} == {chat.id for chat in latest}
    assert {(row["lead_id"], row["lead_name"], row["manager"]) for row in found["dialogs"]} == {(None, "", "")}


def test_an_example_is_written_as_belonging_to_no_deal(practice: Practice) -> None:
    made(practice, "radist", "sample", newest=True)
    assert made(practice, "radist", "write").colour == "green"
    rows = practice.rows("synkro_chats")
    assert {(row["matched_lead_id"], row["matched_by"]) for row in rows} == {(None, None)}


def test_without_deals_the_way_is_told(practice: Practice) -> None:
    sample = made(practice, "radist", "sample")
    assert (sample.colour, sample.code) == ("yellow", "radist_deals_first")


def test_deals_without_phones_are_not_looked_for(practice: Practice) -> None:
    lead = Lead(1, "Deal", None, 1, 1, None, 1, 1)
    with tenant_scope(practice.tenant.id):
        trial = trials.request("amocrm", trials.SAMPLE)
        trials.finish(trial, "green", "amocrm_sample_ok", {}, {"leads": [lead.to_json()], "contacts": []})
    assert made(practice, "radist", "sample").code == "radist_sample_no_phones"
    assert practice.look("radist", "/__requests") == []


@pytest.mark.parametrize(("limit", "value"), [("SEARCH_SECONDS", 0), ("MOST_PAGES", 1)])
def test_a_list_that_is_too_long_is_told_as_partial(
    practice: Practice, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(radist_search, limit, value)
    practice.control("radist", set={"page_cap": 5})
    deals_of(practice, [None])
    sample = made(practice, "radist", "sample")
    assert (sample.code, sample.params) == ("radist_sample_none_partial", {"contacts": 5})
    assert result(practice, sample)["partial"] is True


def test_what_was_found_before_the_time_was_over_is_shown(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radist_search, "MOST_PAGES", 1)
    first = requests.get(
        f"{practice.urls['radist']}/v2/companies/{practice.world.radist_company_id}/messaging/chats/with_contacts/",
        headers={"X-Api-Key": practice.world.radist_key},
        timeout=60,
    ).json()["data"]
    place = {chat["chat_id"]: n for n, contact in enumerate(first) for chat in contact["chats"]}
    chat = min(spoken(practice), key=lambda one: place[one.id])
    practice.control("radist", set={"page_cap": place[chat.id] + 1})
    deals_of(practice, [chat, None])
    sample = made(practice, "radist", "sample")
    assert (sample.colour, sample.code, sample.params["dialogs"]) == ("yellow", "radist_sample_partial", 1)


def test_the_search_keeps_to_the_chosen_messengers(practice: Practice) -> None:
    chat = spoken(practice)[0]
    deals_of(practice, [chat])
    choose(practice, connections=str(TELEGRAM))
    assert made(practice, "radist", "sample").code == "radist_sample_none"
    choose(practice, connections=str(WHATSAPP))
    assert made(practice, "radist", "sample").code == "radist_sample_ok"


def test_a_dialog_without_a_word_of_late_is_told(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    later = practice.world.now + timedelta(days=90)
    monkeypatch.setattr("synkro.jobs.acts.radist.clock", SimpleNamespace(now=lambda: later))
    deals_of(practice, [spoken(practice)[0]])
    sample = made(practice, "radist", "sample")
    assert (sample.colour, sample.code, sample.params["dialogs"]) == ("yellow", "radist_sample_quiet", 1)


def test_a_chat_that_does_not_open_costs_itself_only(practice: Practice) -> None:
    deals_of(practice, spoken(practice)[:3])
    practice.control("radist", fault="gone", times=1)
    sample = made(practice, "radist", "sample")
    assert (sample.colour, sample.code, sample.params) == ("yellow", "radist_chats_unreadable", {"chats": 1})
    assert len(result(practice, sample)["dialogs"]) == 2


def test_where_no_chat_opens_the_refusal_is_told(practice: Practice) -> None:
    deals_of(practice, spoken(practice)[:3])
    practice.control("radist", fault="gone", times=3)
    sample = made(practice, "radist", "sample")
    assert (sample.colour, sample.code) == ("red", "radist_not_found")


def test_without_a_sample_there_is_nothing_to_write(practice: Practice) -> None:
    write = made(practice, "radist", "write")
    assert (write.colour, write.code, practice.rows("synkro_chats")) == ("red", "sample_first", [])


def test_rows_that_cannot_be_found_again_are_no_proof(practice: Practice) -> None:
    deals_of(practice, [spoken(practice)[0]])
    made(practice, "radist", "sample")
    practice.control("supabase", fault="write_lost", path="synkro_messages")
    write = made(practice, "radist", "write")
    assert (write.colour, write.code) == ("red", "write_not_seen")
