"""Radist in the wizard: the dialogs of the three deals, found by phone and written."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from synkro.infra.records import Lead
from synkro.integrations.base import SAMPLE
from synkro.jobs.connections.acts import radist_search
from synkro.models import Trial
from synkro.sandbox.radist import api as radist_api
from synkro.services.connections import checks, trials
from synkro.tenancy import tenant_scope
from tests.support.emulators import short_pauses as short_pauses  # noqa: PLC0414 (a fixture of theirs)
from tests.support.having import assert_entries, assert_has
from tests.support.practice import Practice
from tests.support.radist_dialogs import TELEGRAM, WHATSAPP, choose, deals_of, made, spoken
from tests.support.radist_dialogs import now_of_the_world as now_of_the_world  # noqa: PLC0414 (a fixture)


def result(practice: Practice, trial: Trial) -> dict[str, Any]:
    with tenant_scope(practice.tenant.id):
        return trials.result(trial) or {}


def verbs(practice: Practice) -> set[str]:
    return {entry["method"] for entry in practice.look("radist", "/__requests")}


def test_the_dialogs_of_the_deals_are_found_and_written(practice: Practice) -> None:
    chats = spoken(practice)[:3]
    deals_of(practice, chats)
    sample = made(practice, "radist", "sample")
    assert_has(sample, colour="green", code="radist_sample_ok")
    assert sample.params["dialogs"] == 3
    found = result(practice, sample)
    assert {row["chat"]["id"] for row in found["dialogs"]} == {chat.id for chat in chats}
    by_deal = {row["lead_name"]: row for row in found["dialogs"]}
    for n, chat in enumerate(chats):
        row = by_deal[f"Deal {n}"]
        assert_entries(row, lead_id=100 + n, phone=chat.phone, manager="Айгуль")
        begin = practice.world.now - timedelta(days=30)
        said = [message.id for message in chat.messages if begin <= message.at < practice.world.now][-50:]
        assert [message["id"] for message in row["messages"]] == said
    write = made(practice, "radist", "write")
    assert_has(write, colour="green", code="write_ok")
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
    assert found["partial"] is False
    assert found["contacts_read"] < len(practice.world.radist_contacts)


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
    assert_has(sample, colour="yellow", code="radist_sample_none", params={"contacts": people})
    assert result(practice, sample)["dialogs"] == []
    newest = made(practice, "radist", "sample", newest=True)
    found = result(practice, newest)
    assert_has(newest, colour="yellow", code="radist_sample_newest")
    assert found["newest"] is True
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
    assert_has(sample, colour="yellow", code="radist_deals_first")


def test_deals_without_phones_are_not_looked_for(practice: Practice) -> None:
    lead = Lead(1, "Deal", None, 1, 1, None, 1, 1)
    with tenant_scope(practice.tenant.id):
        trial = trials.request("amocrm", SAMPLE)
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
    assert_has(sample, code="radist_sample_none_partial", params={"contacts": 5})
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
    assert_has(sample, colour="yellow", code="radist_sample_partial")
    assert sample.params["dialogs"] == 1


def test_the_search_keeps_to_the_chosen_messengers(practice: Practice) -> None:
    chat = spoken(practice)[0]
    deals_of(practice, [chat])
    choose(practice, connections=str(TELEGRAM))
    assert made(practice, "radist", "sample").code == "radist_sample_none"
    choose(practice, connections=str(WHATSAPP))
    assert made(practice, "radist", "sample").code == "radist_sample_ok"


def test_a_dialog_without_a_word_of_late_is_told(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    later = practice.world.now + timedelta(days=90)
    monkeypatch.setattr("synkro.jobs.connections.acts.radist.clock", SimpleNamespace(now=lambda: later))
    deals_of(practice, [spoken(practice)[0]])
    sample = made(practice, "radist", "sample")
    assert_has(sample, colour="yellow", code="radist_sample_quiet")
    assert sample.params["dialogs"] == 1


def test_a_chat_that_does_not_open_costs_itself_only(practice: Practice) -> None:
    deals_of(practice, spoken(practice)[:3])
    practice.control("radist", fault="gone", times=1)
    sample = made(practice, "radist", "sample")
    assert_has(sample, colour="yellow", code="radist_chats_unreadable", params={"chats": 1})
    assert len(result(practice, sample)["dialogs"]) == 2


def test_where_no_chat_opens_the_refusal_is_told(practice: Practice) -> None:
    deals_of(practice, spoken(practice)[:3])
    practice.control("radist", fault="gone", times=3)
    sample = made(practice, "radist", "sample")
    assert_has(sample, colour="red", code="radist_not_found")


def test_without_a_sample_there_is_nothing_to_write(practice: Practice) -> None:
    write = made(practice, "radist", "write")
    assert_has(write, colour="red", code="sample_first")
    assert practice.rows("synkro_chats") == []


def test_rows_that_cannot_be_found_again_are_no_proof(practice: Practice) -> None:
    deals_of(practice, [spoken(practice)[0]])
    made(practice, "radist", "sample")
    practice.control("supabase", fault="write_lost", path="synkro_messages")
    write = made(practice, "radist", "write")
    assert_has(write, colour="red", code="write_not_seen")
