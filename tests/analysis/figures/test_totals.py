"""Figures of a whole report."""

from __future__ import annotations

import json
from typing import Any

import pytest

from synkro.analysis.figures.dialogue import chat_figures
from synkro.analysis.figures.totals import Figures
from synkro.analysis.matching.chats import ChatMatch, PhoneIndex
from tests.support.deals_and_chats import ALWAYS, WINDOW, chat, lead
from tests.support.figures import SAID, figures_of
from tests.support.having import assert_entries


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    return figures_of().result()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("leads_in_window", 4),
        ("leads_open", 2),
        ("leads_won", 1),
        ("leads_lost", 1),
        ("price_sum_won", 500),
        ("price_null", 1),
        ("missing_contacts", 1),
        ("chats_matched", 2),
        ("chats_matched_via_sibling", 1),
        ("chats_unmatched", 3),
        ("chats_group", 1),
        ("several_managers", 1),
        ("unmatched_active", 2),
        ("unmatched_waiting", 1),
        ("messages_in", 4),
        ("messages_out", 2),
        ("out_failed", 1),
        ("active_chats", 2),
        ("unanswered", 1),
        ("first_response_median_s", 60.0),
        ("first_response_n", 1),
        ("response_median_s", 180.0),
        ("response_p90_s", 276.0),
        ("response_n", 2),
        ("chats_by_outcome", {"not_sent": 2}),
        ("unanswered_older_than", {"15": 1, "60": 1, "240": 1, "1440": 0}),
    ],
)
def test_each_figure_follows_its_rule(result: dict[str, Any], name: str, value: object) -> None:
    assert result[name] == value


def test_managers_have_deals_by_responsible_and_chats_by_owner(result: dict[str, Any]) -> None:
    rows = [
        (row["manager_id"], row["name"], row["leads_in_window"], row["chats_matched"]) for row in result["by_manager"]
    ]
    assert rows == [(1, "Aliya", 2, 0), (2, "Bolat", 1, 2), (None, "—", 1, 0)]


@pytest.mark.parametrize("name", ["leads_in_window", "leads_won", "messages_in", "chats_matched", "unanswered"])
def test_managers_add_up_to_the_total(result: dict[str, Any], name: str) -> None:
    assert sum(row[name] for row in result["by_manager"]) == result[name]


def test_coverage_says_why_deals_are_lost(result: dict[str, Any]) -> None:
    assert result["coverage"] == [
        {"stage": "leads", "count": 4, "lost": {}},
        {"stage": "with_phone", "count": 2, "lost": {"no_contact": 1, "no_phone": 1}},
        {"stage": "with_chat", "count": 2, "lost": {}},
        {"stage": "analysed", "count": 0, "lost": {"not_sent": 2}},
    ]


def test_a_matched_chat_without_messages_has_nothing_to_send() -> None:
    assert figures_of(said={1: SAID[1]}).result()["chats_by_outcome"] == {"not_sent": 1, "no_messages": 1}


def test_the_hours_hold_all_inbound_messages(result: dict[str, Any]) -> None:
    assert result["inbound_by_hour"][6] == 4
    assert len(result["inbound_by_hour"]) == 24
    assert sum(result["inbound_by_hour"]) == 4


def test_working_hours_have_the_same_four_names(result: dict[str, Any]) -> None:
    assert result["working_hours"] == {name: result[name] for name in result["working_hours"]}
    assert len(result["working_hours"]) == 4


def test_the_result_is_plain_json(result: dict[str, Any]) -> None:
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_what_comes_twice_counts_once(result: dict[str, Any]) -> None:
    assert figures_of(times=2).result() == result


def test_an_empty_window_has_zeros_and_no_speed() -> None:
    empty = Figures(WINDOW, PhoneIndex.build([], []), {}).result()
    assert_entries(empty, leads_in_window=0, messages_in=0, by_manager=[])
    assert empty["response_median_s"] is None


def test_a_manager_the_crm_does_not_name_shows_as_a_number() -> None:
    figures = Figures(WINDOW, PhoneIndex.build([], []), {})
    figures.add_lead(lead(1, manager=77))
    assert figures.result()["by_manager"][0]["name"] == "#77"


def test_reading_a_chat_without_a_deal_is_refused() -> None:
    figures = Figures(WINDOW, PhoneIndex.build([], []), {})
    with pytest.raises(ValueError, match="matched"):
        figures.add_dialogue(ChatMatch(chat(1), "sibling", None), chat_figures([], WINDOW, ALWAYS))
