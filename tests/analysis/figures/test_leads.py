"""Selection and sums of deals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from synkro.analysis.figures.leads import LeadSums, kind_of, selected, unsorted_stages
from synkro.infra.records import Stage
from tests.support.deals_and_chats import WINDOW, lead

DAY = 86_400


@pytest.mark.parametrize(("at", "expected"), [(-1, False), (0, True), (DAY - 1, True), (DAY, False)])
def test_a_deal_is_selected_by_its_last_change(at: int, expected: bool) -> None:
    assert selected(lead(1, at=at), WINDOW, frozenset()) is expected


def test_a_deleted_deal_is_not_selected() -> None:
    assert not selected(replace(lead(1), is_deleted=True), WINDOW, frozenset())


def test_the_incoming_stage_is_known_by_pipeline_and_status() -> None:
    stages = [Stage(5, 10, "Sales", "Incoming", kind=1), Stage(6, 10, "Other", "Work"), Stage(5, 11, "Sales", "Work")]
    unsorted = unsorted_stages(stages)
    assert not selected(lead(1, status=10), WINDOW, unsorted)
    assert selected(replace(lead(1, status=10), pipeline_id=6), WINDOW, unsorted)
    assert selected(lead(1, status=11), WINDOW, unsorted)


@pytest.mark.parametrize(("status", "kind"), [(142, "won"), (143, "lost"), (1, "open")])
def test_the_kind_of_a_deal_follows_its_status(status: int, kind: str) -> None:
    assert kind_of(lead(1, status=status)) == kind


def test_an_empty_price_adds_nothing_and_is_counted() -> None:
    sums = LeadSums()
    for deal in (lead(1, price=None, status=142), lead(2, price=0), lead(3, price=700, status=142)):
        sums.add(deal)
    assert sums.result() == {
        "leads_in_window": 3,
        "leads_open": 1,
        "leads_won": 2,
        "leads_lost": 0,
        "price_sum_open": 0,
        "price_sum_won": 700,
        "price_sum_lost": 0,
        "price_null": 1,
    }
