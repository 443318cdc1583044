"""Coverage adds up, whatever happens on the way."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.analysis.figures.coverage import ChatOutcome, Coverage
from synkro.analysis.matching.chats import ChatMatch, LeadPhones
from tests.support.deals_and_chats import chat

PHONES = ["77010000001", "77010000002", "77010000003", "77010000004"]
OUTCOMES: st.SearchStrategy[ChatOutcome] = st.sampled_from(
    ["analysed", "blocked", "over_budget", "too_long", "not_sent", "unreadable", "no_messages"]
)
LEADS = st.lists(st.tuples(st.booleans(), st.lists(st.sampled_from(PHONES), max_size=3)), max_size=12)
CHATS = st.lists(st.tuples(st.sampled_from(PHONES), st.booleans(), st.none() | OUTCOMES), max_size=8)


def coverage_of(leads: list[tuple[bool, list[str]]], chats: list[tuple[str, bool, ChatOutcome | None]]) -> Coverage:
    coverage = Coverage()
    coverage.add_leads(LeadPhones(key, bool(has or phones), tuple(phones)) for key, (has, phones) in enumerate(leads))
    for key, (phone, is_group, outcome) in enumerate(chats):
        coverage.add_match(ChatMatch(chat(key, phone), "group" if is_group else "matched", phone))
        if outcome:
            coverage.mark(key, outcome)
    return coverage


def lost(coverage: Coverage) -> dict[str, int]:
    return {reason: count for stage in coverage.stages() for reason, count in stage["lost"].items()}


@given(LEADS, CHATS)
def test_each_stage_and_its_losses_are_the_stage_before(
    leads: list[tuple[bool, list[str]]], chats: list[tuple[str, bool, ChatOutcome | None]]
) -> None:
    coverage = coverage_of(leads, chats)
    stages = coverage.stages()
    assert stages[0]["count"] == len(leads)
    for before, after in pairwise(stages):
        assert after["count"] + sum(after["lost"].values()) == before["count"]
    assert sum(coverage.chats().values()) == sum(not is_group for _, is_group, _ in chats)


@given(LEADS, CHATS)
def test_the_next_step_continues_the_same_count(
    leads: list[tuple[bool, list[str]]], chats: list[tuple[str, bool, ChatOutcome | None]]
) -> None:
    coverage = coverage_of(leads, chats)
    later = Coverage.from_json(json.loads(json.dumps(coverage.to_json())))
    later.mark(0, "blocked")
    coverage.mark(0, "blocked")
    assert later.stages() == coverage.stages()
    assert later.chats() == coverage.chats()


@pytest.mark.parametrize(
    ("lead", "chats", "reason"),
    [
        ((False, []), [], "no_contact"),
        ((True, []), [], "no_phone"),
        ((True, PHONES[:1]), [], "no_chat"),
        ((True, PHONES[:1]), [(PHONES[1], False, "analysed")], "no_chat"),
        ((True, PHONES[:1]), [(PHONES[0], True, "analysed")], "group"),
        ((True, PHONES[:1]), [(PHONES[0], False, None)], "no_messages"),
        ((True, PHONES[:1]), [(PHONES[0], False, None), (PHONES[0], False, "unreadable")], "unreadable"),
        ((True, PHONES[:1]), [(PHONES[0], False, "too_long"), (PHONES[0], False, "blocked")], "blocked"),
        ((True, PHONES[:2]), [(PHONES[0], True, None), (PHONES[1], False, "over_budget")], "over_budget"),
    ],
)
def test_a_lost_deal_has_the_reason_of_the_chat_that_came_furthest(
    lead: tuple[bool, list[str]], chats: list[tuple[str, bool, ChatOutcome | None]], reason: str
) -> None:
    assert lost(coverage_of([lead], chats)) == {reason: 1}


def test_one_analysed_chat_makes_an_analysed_deal() -> None:
    coverage = coverage_of([(True, PHONES[:2])], [(PHONES[0], False, "blocked"), (PHONES[1], False, "analysed")])
    assert coverage.stages()[-1] == {"stage": "analysed", "count": 1, "lost": {}}


def test_a_chat_sent_in_part_makes_an_analysed_deal_and_is_counted() -> None:
    coverage = coverage_of([(True, PHONES[:1])], [(PHONES[0], False, "analysed_in_part")])
    assert coverage.stages()[-1] == {"stage": "analysed", "count": 1, "lost": {}}
    assert coverage.chats() == {"analysed_in_part": 1}


def test_a_chat_nobody_matched_cannot_be_marked() -> None:
    coverage = coverage_of([(True, PHONES[:1])], [])
    coverage.mark(99, "analysed")
    assert coverage.chats() == {}
