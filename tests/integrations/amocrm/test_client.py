"""amoCRM against its emulator: the account, contacts, refusals, pace, check and sample."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from synkro.integrations.amocrm.client import Amocrm
from synkro.integrations.amocrm.shapes import lead_of
from synkro.integrations.errors import ApiError, Busy, Nonsense, Refused, Unpaid, Unreachable
from synkro.integrations.http.client import HttpClient
from synkro.sandbox.amocrm.app import create_app
from synkro.sandbox.amocrm.oauth import long_lived_token
from synkro.sandbox.world import World
from tests.support.amocrm_reading import END, START, all_leads, asked, expected
from tests.support.emulators import NOW, ConnectAmocrm, Counted, Emulator, Paced, Start, client_to, company
from tests.support.having import assert_entries, assert_has


@pytest.fixture
def demo(connect_amocrm: ConnectAmocrm, world: World) -> tuple[Amocrm, Emulator]:
    return connect_amocrm(world)


def test_nothing_but_get_can_be_sent(demo: tuple[Amocrm, Emulator]) -> None:
    amocrm, emulator = demo
    with pytest.raises(ValueError, match="GET only"):
        amocrm.http.post("/leads", [])
    assert emulator.requests() == []


# What a deal, a contact and the account say


def test_the_account_tells_its_name_zone_and_filter(demo: tuple[Amocrm, Emulator], world: World) -> None:
    account = demo[0].account()
    assert_has(account, id=world.account_id, name=world.company, zone=world.zone)
    assert account.filter_enabled


def test_the_deals_of_the_window_come_whole(demo: tuple[Amocrm, Emulator], world: World) -> None:
    found = {lead.id: lead for lead in all_leads(demo[0])}
    assert sorted(found) == expected(world)
    assert len(found) > 3
    of_world = {lead.id: lead for lead in world.leads}
    for lead in found.values():
        model = of_world[lead.id]
        assert_has(lead, name=model.name, price=model.price, status_id=model.status_id)
        assert lead.contact_ids in (model.contact_ids, ())
        assert_has(lead, created_at=model.created_at, closed_at=model.closed_at)
        assert lead.loss_reason_id == model.loss_reason_id


def test_contacts_come_with_their_phones_as_typed(demo: tuple[Amocrm, Emulator], world: World) -> None:
    found = demo[0].contacts([contact.id for contact in world.contacts])
    assert {c.id: c.phones for c in found} == {c.id: tuple(dict.fromkeys(c.phones)) for c in world.contacts}


def test_managers_stages_and_reasons_are_named(demo: tuple[Amocrm, Emulator], world: World) -> None:
    amocrm = demo[0]
    assert [(m.id, m.name, m.is_active) for m in amocrm.managers()] == [
        (user.id, user.name, user.is_active) for user in world.users
    ]
    assert {(s.pipeline_id, s.status_id, s.pipeline_name, s.name, s.kind) for s in amocrm.stages()} == {
        (p.id, s.id, p.name, s.name, s.kind) for p in world.pipelines for s in p.statuses
    }
    assert amocrm.loss_reasons() == {reason.id: reason.name for reason in world.loss_reasons}


# Contacts of deals


def test_deals_without_embedded_contacts_are_asked_for_their_links(connect_amocrm: ConnectAmocrm, many: World) -> None:
    window = (NOW - timedelta(minutes=5), NOW)
    amocrm, emulator = connect_amocrm(many, contacts_not_embedded=True)
    found = all_leads(amocrm, *window)
    assert [lead.contact_ids for lead in found] == [(5595,), (5596,), (5597,), (5598,), (5599,)]
    assert len([entry for entry in emulator.requests() if entry["path"].endswith("/links")]) == 5


def test_the_main_contact_comes_first() -> None:
    contacts = [{"id": 1, "is_main": False}, {"id": 2, "is_main": True}, {"id": 3, "is_main": False}]
    lead = lead_of({"id": 9, "updated_at": 1, "_embedded": {"contacts": contacts}})
    assert lead is not None
    assert lead.contact_ids == (2, 1, 3)


@pytest.mark.parametrize("filter_on", [True, False])
def test_contacts_that_are_gone_are_absent(filter_on: bool, connect_amocrm: ConnectAmocrm, world: World) -> None:
    amocrm, _ = connect_amocrm(company(world, 120), filter_on=filter_on)
    ids = [5000, 99_000_001, *range(5001, 5120), 5000]
    assert [contact.id for contact in amocrm.contacts(ids)] == list(range(5000, 5120))


def test_contacts_are_asked_for_fifty_at_once(connect_amocrm: ConnectAmocrm, world: World) -> None:
    amocrm, emulator = connect_amocrm(company(world, 120))
    amocrm.contacts(range(5000, 5120))
    assert [len(query["filter[id][]"]) for query in asked(emulator, "/contacts")] == [50, 50, 20]


def test_contacts_are_found_although_the_filter_went_off_meanwhile(connect_amocrm: ConnectAmocrm, world: World) -> None:
    amocrm, emulator = connect_amocrm(company(world, 300), filter_on=False)
    found = amocrm.contacts(range(5200, 5260), filtered=True)
    assert [contact.id for contact in found] == list(range(5200, 5260))
    assert amocrm.notices == {"amocrm_filter_off"}
    assert len(asked(emulator, "/contacts")) == 1


def test_no_contacts_need_no_request(demo: tuple[Amocrm, Emulator]) -> None:
    amocrm, emulator = demo
    assert amocrm.contacts([]) == []
    assert emulator.requests() == []


# Refusals


@pytest.mark.parametrize(
    ("settings", "kind", "code"),
    [
        ({"revoked": True}, Refused, "amocrm_reconnect"),
        ({"paid": False}, Unpaid, "amocrm_unpaid"),
        ({"token_rights": "none"}, Refused, "amocrm_no_rights"),
    ],
)
def test_a_closed_account_is_told_in_our_words(
    settings: dict[str, Any], kind: type[ApiError], code: str, connect_amocrm: ConnectAmocrm, world: World
) -> None:
    amocrm, emulator = connect_amocrm(world, **settings)
    with pytest.raises(kind, match=code):
        amocrm.check()
    assert len(emulator.requests()) == 1


@pytest.mark.usefixtures("standing")
@pytest.mark.parametrize("body", ["json", "html"])
def test_after_429_nothing_is_sent_and_the_caller_learns_how_long(
    body: str, connect_amocrm: ConnectAmocrm, world: World
) -> None:
    amocrm, emulator = connect_amocrm(world)
    emulator.set(rps=1, body_429=body, retry_after_429=300)
    amocrm.account()
    with pytest.raises(Busy) as raised:
        amocrm.account()
    assert raised.value.retry_after == (300 if body == "json" else 60)
    assert len(emulator.requests()) == 2


@pytest.mark.usefixtures("standing")
def test_a_block_is_told_apart_from_lacking_rights_and_never_retried(
    connect_amocrm: ConnectAmocrm, world: World
) -> None:
    amocrm, emulator = connect_amocrm(world)
    emulator.set(rps=1, block_after_429=1)
    amocrm.account()
    with pytest.raises(Busy):
        amocrm.account()
    emulator.forget()
    with pytest.raises(Refused, match="amocrm_blocked"):
        amocrm.managers()
    assert len(emulator.requests()) == 1


@pytest.mark.parametrize("fault", ["500", "502_html", "503", "drop", "drop_after"])
def test_a_passing_failure_costs_nothing_but_time(fault: str, demo: tuple[Amocrm, Emulator], world: World) -> None:
    amocrm, emulator = demo
    emulator.fault(fault, path="/leads", times=2)
    assert sorted(lead.id for lead in all_leads(amocrm)) == expected(world)


@pytest.mark.parametrize("fault", ["broken_json", "html", "empty"])
def test_an_unreadable_answer_is_an_error_and_not_an_empty_page(fault: str, demo: tuple[Amocrm, Emulator]) -> None:
    amocrm, emulator = demo
    emulator.fault(fault, path="/leads", times=-1)
    with pytest.raises(Nonsense):
        amocrm.leads(START, END)


def test_a_token_of_a_plain_user_hides_the_managers_but_not_the_deals(
    connect_amocrm: ConnectAmocrm, world: World
) -> None:
    amocrm, _ = connect_amocrm(world, token_rights="own")
    assert amocrm.managers() == []
    assert amocrm.notices == {"amocrm_managers_hidden"}
    mine = {lead.id for lead in world.leads if lead.responsible_user_id == world.users[1].id}
    assert {lead.id for lead in all_leads(amocrm)} == set(expected(world)) & mine


# Pace


def test_every_call_counts_against_the_account(connect_amocrm: ConnectAmocrm, world: World) -> None:
    pacer = Counted()
    amocrm, emulator = connect_amocrm(company(world, 3), pacer)
    amocrm.check()
    amocrm.sample()
    assert pacer.keys == [f"amocrm:{world.subdomain}.amocrm.ru 6"] * len(emulator.requests())


def test_kommo_counts_our_own_address_too(world: World, start: Start) -> None:
    pacer = Counted()
    emulator = start(create_app(world))
    keys = {"subdomain": world.subdomain, "zone": "kommo.com", "token": long_lived_token(world)}
    Amocrm(keys, client_to(pacer, amocrm=emulator)).account()
    assert pacer.keys == [f"amocrm:{world.subdomain}.kommo.com 6", "amocrm:kommo.com 6"]


def test_at_our_pace_the_vendor_never_says_429(connect_amocrm: ConnectAmocrm, world: World) -> None:
    amocrm, emulator = connect_amocrm(company(world, 12), Paced(), filter_on=False)
    emulator.set(rps=7)
    begun = time.monotonic()
    assert len(amocrm.contacts(range(5000, 5012))) == 12
    assert time.monotonic() - begun > 1.5
    assert {entry["status"] for entry in emulator.requests()} == {200}


# Check and sample


def test_the_check_is_green_after_reading_a_deal_and_its_contact(demo: tuple[Amocrm, Emulator], world: World) -> None:
    amocrm, emulator = demo
    check = amocrm.check()
    assert_has(check, colour="green", code="amocrm_ok")
    facts = {"account": world.company, "zone": world.zone, "filter": True, "managers": True, "notices": []}
    assert facts.items() <= check.params.items()
    asked = [entry["path"].rpartition("/")[2] for entry in emulator.requests()]
    assert asked == ["account", "leads", "contacts", "users"]


def test_a_notice_does_not_change_the_colour(connect_amocrm: ConnectAmocrm, world: World) -> None:
    check = connect_amocrm(world, filter_on=False, token_rights="own")[0].check()
    assert check.colour == "green"
    assert_entries(check.params, filter=False, managers=False)
    assert check.params["notices"] == ["amocrm_filter_off", "amocrm_managers_hidden"]


def test_an_account_without_deals_is_green_with_a_note(connect_amocrm: ConnectAmocrm, world: World) -> None:
    check = connect_amocrm(company(world, 0))[0].check()
    assert_has(check, colour="green", code="amocrm_no_leads")


def test_the_sample_shows_the_latest_deals_with_masked_phones(connect_amocrm: ConnectAmocrm, world: World) -> None:
    people = company(world, 5)
    named = [replace(person, name=f"Ivan {person.phones[0]}") for person in people.contacts]
    amocrm, _ = connect_amocrm(replace(people, contacts=named))
    sample = amocrm.sample(3)
    assert [item.title for item in sample] == ["Deal 4", "Deal 3", "Deal 2"]
    manager = next(user.name for user in world.users if user.id == people.leads[0].responsible_user_id)
    assert sample[0].lines == ("2026-03-17T14:59:00+00:00", manager, "Ivan +7 701 ••• 00 04", "+7 701 ••• 00 04")


def test_the_sample_of_an_empty_account_is_empty(connect_amocrm: ConnectAmocrm, world: World) -> None:
    assert connect_amocrm(company(world, 0))[0].sample() == []


def served(start: Start, rows: Sequence[dict[str, Any]]) -> Amocrm:
    """amoCRM with one page of exactly these deals."""
    app = Flask("odd")
    app.add_url_rule("/api/v4/leads", view_func=lambda: {"_embedded": {"leads": rows}})
    return Amocrm({"subdomain": "demo", "token": "t"}, client_to(Counted(), amocrm=start(app)))


def test_rows_that_cannot_be_placed_are_counted(start: Start) -> None:
    at = int(START.timestamp()) + 5
    rows = [{"id": 1, "updated_at": at, "_embedded": {"contacts": []}}, {"id": 2}, {"updated_at": at}]
    page = served(start, rows).leads(START, END, filtered=True)
    assert [lead.id for lead in page.leads] == [1]
    assert page.unreadable == 2


def test_an_unreachable_account_is_unreachable() -> None:
    http_client = HttpClient(
        Counted(), replace={"amocrm": "http://127.0.0.1:1"}, allow_hosts=frozenset({"127.0.0.1:1"})
    )
    with pytest.raises(Unreachable):
        Amocrm({"subdomain": "demo", "token": "t"}, http_client).account()
