"""amoCRM's deals page by page: windows, the paid filter, slow accounts, links."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask, request
from flask.typing import ResponseReturnValue

from synkro.integrations.amocrm.client import MOST_LEADS, Amocrm, LeadPage
from synkro.integrations.amocrm.rules import TooMuch
from synkro.integrations.errors import Gone, Nonsense
from synkro.sandbox.world import World
from tests.support.amocrm_reading import END, START, all_leads, asked, expected
from tests.support.emulators import NOW, ConnectAmocrm, Counted, Emulator, Start, client_to, company
from tests.support.having import assert_has


@pytest.fixture
def demo(connect_amocrm: ConnectAmocrm, world: World) -> tuple[Amocrm, Emulator]:
    return connect_amocrm(world)


# Windows and pages


@pytest.mark.parametrize("filter_on", [True, False])
@pytest.mark.parametrize("last_page", ["no_next", "next_then_204"])
@pytest.mark.parametrize("minutes", [600, 500, 250, 30])
def test_every_deal_of_the_window_comes_once(
    filter_on: bool, last_page: str, minutes: int, connect_amocrm: ConnectAmocrm, many: World
) -> None:
    amocrm, _ = connect_amocrm(many, filter_on=filter_on, last_page=last_page)
    start, end = NOW - timedelta(minutes=minutes), NOW - timedelta(minutes=10)
    assert sorted(lead.id for lead in all_leads(amocrm, start, end)) == expected(many, start, end)


@pytest.mark.parametrize("filter_on", [True, False])
def test_the_start_belongs_to_the_window_and_the_end_does_not(
    filter_on: bool, connect_amocrm: ConnectAmocrm, many: World
) -> None:
    amocrm, _ = connect_amocrm(many, filter_on=filter_on)
    moments = sorted(lead.updated_at for lead in many.leads)
    start, end = (datetime.fromtimestamp(at, UTC) for at in (moments[100], moments[110]))
    assert sorted(lead.updated_at for lead in all_leads(amocrm, start, end)) == moments[100:110]


def test_the_filter_has_no_upper_bound_and_the_order_is_by_id(demo: tuple[Amocrm, Emulator]) -> None:
    amocrm, emulator = demo
    all_leads(amocrm)
    query = asked(emulator, "/leads")[0]
    assert query["filter[updated_at][from]"] == [str(int(START.timestamp()) - 600)]
    assert query["order[id]"] == ["asc"]
    assert "filter[updated_at][to]" not in query


def test_without_the_filter_reading_stops_below_the_window(connect_amocrm: ConnectAmocrm, many: World) -> None:
    amocrm, emulator = connect_amocrm(many, filter_on=False)
    found = all_leads(amocrm, NOW - timedelta(minutes=30), NOW)
    assert len(found) == 30
    assert len(asked(emulator, "/leads")) == 1


def test_a_filter_that_is_ignored_sends_the_caller_the_other_way(connect_amocrm: ConnectAmocrm, many: World) -> None:
    amocrm, emulator = connect_amocrm(many)
    assert amocrm.filter_enabled
    emulator.set(filter_on=False)
    start = NOW - timedelta(minutes=30)
    page = amocrm.leads(start, NOW)
    assert_has(page, leads=(), next_page=1, filtered=False)
    assert amocrm.notices == {"amocrm_filter_off"}
    rest = amocrm.leads(start, NOW, 1, filtered=page.filtered, limit=page.limit)
    assert len(rest.leads) == 30


@pytest.mark.parametrize("filter_on", [True, False])
def test_deals_that_change_while_we_page_leave_no_gap(
    filter_on: bool, connect_amocrm: ConnectAmocrm, many: World
) -> None:
    """A deal touched while we read has left a window that ended before; it is in the next one."""
    amocrm, emulator = connect_amocrm(many, filter_on=filter_on, mutate_while_paging=True)
    end = datetime.fromtimestamp(max(lead.updated_at for lead in many.leads) + 1, UTC)
    found = {lead.id for lead in all_leads(amocrm, START, end)}
    emulator.set(mutate_while_paging=False)
    moved = {lead.id for lead in all_leads(amocrm, end, NOW)}
    assert moved
    assert found | moved == {lead.id for lead in many.leads}


def test_a_run_goes_on_from_the_page_it_was_stopped_at(connect_amocrm: ConnectAmocrm, many: World) -> None:
    amocrm, emulator = connect_amocrm(many)
    first = amocrm.leads(START, END)
    again = Amocrm(amocrm.settings, client_to(Counted(), amocrm=emulator))
    assert first.next_page is not None
    second = again.leads(START, END, first.next_page, filtered=first.filtered, limit=first.limit)
    assert [lead.id for lead in (*first.leads, *second.leads)] == expected(many)[:500]


@pytest.mark.parametrize("filter_on", [True, False])
@pytest.mark.parametrize(("bound", "limit"), [(125, 125), (50, 50), (200, 125)])
def test_a_page_that_takes_too_long_is_halved_and_loses_no_place(
    filter_on: bool, bound: int, limit: int, connect_amocrm: ConnectAmocrm, many: World
) -> None:
    amocrm, emulator = connect_amocrm(many, filter_on=filter_on)
    first = amocrm.leads(START, END)
    emulator.set(slow_above_limit=bound)
    pages = [first]
    while (page := pages[-1]).next_page is not None:
        pages.append(amocrm.leads(START, END, page.next_page, filtered=page.filtered, limit=page.limit))
    assert pages[-1].limit == limit
    assert {lead.id for page in pages for lead in page.leads} == set(expected(many))


def test_halving_in_the_middle_of_a_page_repeats_deals_and_skips_none(
    connect_amocrm: ConnectAmocrm, many: World
) -> None:
    amocrm, emulator = connect_amocrm(many)
    first = amocrm.leads(START, END, limit=125)
    emulator.set(slow_above_limit=50)
    second = amocrm.leads(START, END, 2, filtered=True, limit=125)
    assert second.limit == 50
    assert second.leads[0].id <= first.leads[-1].id + 1


def test_a_size_that_was_too_much_is_not_asked_for_again(connect_amocrm: ConnectAmocrm, many: World) -> None:
    amocrm, emulator = connect_amocrm(many, slow_above_limit=125)
    all_leads(amocrm)
    assert [query["limit"] for query in asked(emulator, "/leads")].count(["250"]) == 1


def test_an_account_slow_at_the_smallest_page_is_tried_again_later(connect_amocrm: ConnectAmocrm, many: World) -> None:
    amocrm, _ = connect_amocrm(many, slow_above_limit=10)
    with pytest.raises(TooMuch, match="amocrm_too_much") as raised:
        amocrm.leads(START, END)
    assert raised.value.passing


def test_a_next_link_to_a_foreign_host_is_refused(connect_amocrm: ConnectAmocrm, many: World) -> None:
    amocrm, _ = connect_amocrm(many, foreign_next_link="http://evil.example.com")
    with pytest.raises(Nonsense, match="amocrm_foreign_link"):
        amocrm.leads(START, END)


def test_a_next_link_to_another_host_of_the_vendor_is_not_followed(connect_amocrm: ConnectAmocrm, many: World) -> None:
    amocrm, _ = connect_amocrm(many, foreign_next_link="https://renamed.kommo.com")
    assert len(all_leads(amocrm)) == 600


def test_an_endless_account_ends_with_a_clear_code(connect_amocrm: ConnectAmocrm, world: World) -> None:
    amocrm, _ = connect_amocrm(company(world, 10), last_page="next_then_204")
    with pytest.raises(Gone, match="amocrm_too_many"):
        amocrm.leads(START, END, 1, filtered=True, limit=MOST_LEADS)


def test_an_account_without_deals_is_an_empty_page(connect_amocrm: ConnectAmocrm, world: World) -> None:
    amocrm, _ = connect_amocrm(company(world, 0))
    assert amocrm.leads(START, END) == LeadPage((), None, filtered=True)


def test_a_full_page_without_a_next_link_is_followed_by_one_more_try(start: Start) -> None:
    rows = [{"id": n, "updated_at": int(START.timestamp()) + n, "_embedded": {"contacts": []}} for n in range(60)]
    app = Flask("without links")

    def page() -> ResponseReturnValue:
        first = (request.args.get("page", 1, type=int) - 1) * 30
        return {"_embedded": {"leads": rows[first : first + 30]}} if first < 60 else ("", 204)

    app.add_url_rule("/api/v4/leads", view_func=page)
    emulator = start(app)
    amocrm = Amocrm({"subdomain": "demo", "token": "t"}, client_to(Counted(), amocrm=emulator))
    first = amocrm.leads(START, END, filtered=True, limit=30)
    second = amocrm.leads(START, END, 2, filtered=True, limit=30)
    third = amocrm.leads(START, END, 3, filtered=True, limit=30)
    assert [first.next_page, second.next_page, third.next_page] == [2, 3, None]
