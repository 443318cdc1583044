"""The stand-in of amoCRM's API v4 behaves as its documentation and its users say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from synkro.sandbox.big import big_world
from synkro.sandbox.demo.world import demo_world
from tests.support.clocks import Standing
from tests.support.crm import Client, serving
from tests.support.having import assert_entries, assert_has

NOW = datetime(2026, 11, 20, 13, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def _demo() -> Iterator[Client]:
    with serving(demo_world(NOW)) as client:
        yield client


@pytest.fixture
def amo(_demo: Client) -> Client:
    _demo.reset()
    return _demo


@pytest.fixture
def fresh(standing: Standing) -> Iterator[Client]:
    """One whose rates nobody has used up."""
    with serving(demo_world(NOW)) as client:
        yield client


@pytest.fixture
def big() -> Iterator[Client]:
    with serving(big_world(300, 0, 0, NOW)) as client:
        yield client


def a_lead(amo: Client, name: str) -> dict[str, Any]:
    return next(lead for lead in amo.items("leads?limit=250&with=contacts,loss_reason") if lead["name"] == name)


def test_the_account_tells_the_filter_and_the_zone_when_asked(amo: Client) -> None:
    account = amo.get("account?with=is_api_filter_enabled,datetime_settings").json()
    assert account["is_api_filter_enabled"] is True
    assert account["_embedded"]["datetime_settings"] == {"timezone": "Asia/Almaty", "timezone_offset": "+05:00"}


def test_the_account_keeps_silent_when_not_asked(amo: Client) -> None:
    account = amo.get("account").json()
    assert account["id"] == 31_000_001
    assert "is_api_filter_enabled" not in account
    assert account["_embedded"] == {}


def test_answers_are_hal_and_carry_a_request_id(amo: Client) -> None:
    headers = amo.get("account").headers
    assert headers["Content-Type"] == "application/hal+json"
    assert headers["X-Request-Id"]


def test_leads_have_their_documented_keys_and_types(amo: Client) -> None:
    lead = amo.items("leads?limit=1")[0]
    assert {"id", "name", "price", "status_id", "pipeline_id", "custom_fields_values", "_links"} <= set(lead)
    assert isinstance(lead["updated_at"], int)


@pytest.mark.parametrize(("asked", "given"), [("", False), ("&with=contacts", True)])
def test_contacts_are_embedded_only_when_asked_for(amo: Client, asked: str, given: bool) -> None:
    assert ("contacts" in amo.items(f"leads?limit=1{asked}")[0]["_embedded"]) is given


def test_the_main_contact_is_marked(amo: Client) -> None:
    contacts = a_lead(amo, "Кухня Сұлтан")["_embedded"]["contacts"]
    assert [contact["is_main"] for contact in contacts] == [True, False]


def test_the_loss_reason_is_a_list_and_only_of_lost_leads(amo: Client) -> None:
    assert [reason["name"] for reason in a_lead(amo, "Ас үйге үстел")["_embedded"]["loss_reason"]] == ["Дорого"]
    assert "loss_reason" not in a_lead(amo, "Ас үй, екінші қабат")["_embedded"]


def test_contacts_of_an_incoming_lead_are_hidden(amo: Client) -> None:
    assert a_lead(amo, "Неразобранная заявка")["_embedded"]["contacts"] == []


def test_deleted_leads_are_listed_only_as_stubs_of_the_bin(amo: Client) -> None:
    gone = amo.items("leads?with=only_deleted")
    assert [set(lead) for lead in gone] == [{"id", "updated_at", "updated_by", "is_deleted", "_links"}]
    assert gone[0]["id"] not in {lead["id"] for lead in amo.items("leads?limit=250")}


def test_the_time_filter_is_inclusive_at_both_ends(amo: Client) -> None:
    times = sorted(lead["updated_at"] for lead in amo.items("leads?limit=250"))
    low, high = times[5], times[20]
    found = amo.items(f"leads?limit=250&filter[updated_at][from]={low}&filter[updated_at][to]={high}")
    assert sorted(lead["updated_at"] for lead in found) == [at for at in times if low <= at <= high]


def test_a_bare_number_in_a_time_filter_finds_nothing(amo: Client) -> None:
    assert amo.get("leads?filter[updated_at]=1").status_code == 204


def test_without_the_add_on_filters_are_silently_ignored(amo: Client) -> None:
    amo.set(filter_on=False)
    everything = amo.items("leads?limit=250")
    assert amo.items("leads?limit=250&filter[updated_at][from]=99999999999") == everything
    assert amo.get("account?with=is_api_filter_enabled").json()["is_api_filter_enabled"] is False


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_leads_are_ordered_as_asked_even_without_the_add_on(amo: Client, direction: str) -> None:
    amo.set(filter_on=False)
    times = [lead["updated_at"] for lead in amo.items(f"leads?limit=250&order[updated_at]={direction}")]
    assert times == sorted(times, reverse=direction == "desc")


def test_paging_gives_every_lead_once(amo: Client) -> None:
    whole = {lead["id"] for lead in amo.items("leads?limit=250")}
    paged = [lead["id"] for lead in amo.all_pages("leads?limit=7&order[id]=asc")]
    assert len(paged) == len(whole)
    assert set(paged) == whole


def test_links_are_absolute_and_percent_encoded(amo: Client) -> None:
    link = amo.get("leads?limit=2&filter[updated_at][from]=1&with=contacts,loss_reason").json()["_links"]["next"][
        "href"
    ]
    assert link == (
        f"{amo.server.url}/api/v4/leads?limit=2&filter%5Bupdated_at%5D%5Bfrom%5D=1&with=contacts%2Closs_reason&page=2"
    )


def test_a_page_past_the_end_is_204_without_a_body(amo: Client) -> None:
    answer = amo.get("leads?page=99")
    assert_has(answer, status_code=204, content=b"")


def test_the_last_page_may_lead_to_a_204(amo: Client) -> None:
    amo.set(last_page="next_then_204")
    last = amo.get("leads?limit=250").json()["_links"]["next"]["href"].partition("/api/v4/")[2]
    assert amo.get(last).status_code == 204


def test_next_may_point_at_a_foreign_host(amo: Client) -> None:
    amo.set(foreign_next_link="https://elsewhere.example.com")
    assert amo.get("leads?limit=2").json()["_links"]["next"]["href"].startswith("https://elsewhere.example.com/api/v4")


def test_a_limit_above_250_falls_back_to_50(big: Client) -> None:
    assert len(big.items("leads?limit=250")) == 250
    assert len(big.items("leads?limit=251")) == 50


def test_a_great_limit_may_be_too_slow(amo: Client) -> None:
    amo.set(slow_above_limit=50)
    slow = amo.get("leads?limit=51")
    assert slow.status_code == 504
    assert slow.headers["Content-Type"] == "text/html"
    assert amo.get("leads?limit=50").status_code == 200


def test_contacts_may_not_be_embedded_although_asked_for(amo: Client) -> None:
    amo.set(contacts_not_embedded=True)
    assert "contacts" not in amo.items("leads?with=contacts")[0]["_embedded"]


def test_leads_touched_while_paging_in_order_of_time_are_missed(big: Client) -> None:
    big.set(mutate_while_paging=True)
    until = max(lead.updated_at for lead in big.world.leads)
    path = f"leads?limit=50&order[updated_at]=asc&filter[updated_at][to]={until}"
    assert len({lead["id"] for lead in big.all_pages(path)}) < 300


def test_leads_touched_while_paging_are_all_found_in_order_of_id(big: Client) -> None:
    big.set(mutate_while_paging=True)
    found = [lead["id"] for lead in big.all_pages("leads?limit=50&order[id]=asc&filter[updated_at][from]=1")]
    assert len(set(found)) == 300


def test_one_lead_is_read_by_id_and_an_unknown_one_is_204(amo: Client) -> None:
    assert amo.get("leads/81000001").json()["id"] == 81_000_001
    assert amo.get("leads/5").status_code == 204


def test_links_of_one_lead(amo: Client) -> None:
    lead = a_lead(amo, "Кухня Сұлтан")
    links = amo.items(f"leads/{lead['id']}/links")
    assert [link["metadata"] for link in links] == [{"main_contact": True}, {"main_contact": False}]
    assert set(links[0]) == {"to_entity_id", "to_entity_type", "metadata"}


def test_links_of_many_leads_name_the_lead(amo: Client) -> None:
    ids = sorted(a_lead(amo, name)["id"] for name in ("Кухня с островом", "Барная стойка"))
    links = amo.items("leads/links?filter[entity_id][]={}&filter[entity_id][1]={}".format(*ids))
    assert [link["entity_id"] for link in links] == ids


def test_links_of_many_leads_need_ids_even_with_the_add_on_off(amo: Client) -> None:
    amo.set(filter_on=False)
    assert amo.get("leads/links").status_code == 400
    assert amo.items("leads/links?filter[entity_id][]=81000001")


def test_contacts_are_found_by_ids(amo: Client) -> None:
    found = amo.items("contacts?filter[id][0]=91000001&filter[id][]=91000003&filter[id][]=5&limit=250")
    assert [contact["id"] for contact in found] == [91_000_001, 91_000_003]


def test_a_contacts_phones_are_as_people_typed_them(amo: Client) -> None:
    [contact] = [c for c in amo.items("contacts?limit=250") if c["name"] == "Ермек Бекжанов"]
    [field] = contact["custom_fields_values"]
    assert field["field_code"] == "PHONE"
    assert field["values"][0]["value"] == "+7 702 000 02 04; 8 702 000 12 04"


def test_a_contact_without_fields_has_null(amo: Client) -> None:
    found = [contact for contact in amo.items("contacts?limit=250") if contact["name"].startswith("Instagram")]
    assert [contact["custom_fields_values"] for contact in found] == [None]


def test_a_deleted_contact_is_204_although_its_lead_names_it(amo: Client) -> None:
    [link] = a_lead(amo, "Кухня, контакт удалён")["_embedded"]["contacts"]
    assert amo.get(f"contacts/{link['id']}").status_code == 204


def test_a_contact_names_its_leads_when_asked(amo: Client) -> None:
    assert [lead["id"] for lead in amo.get("contacts/91000001?with=leads").json()["_embedded"]["leads"]]
    assert "leads" not in amo.get("contacts/91000001").json()["_embedded"]


def test_users_come_with_rights_and_counts(amo: Client) -> None:
    body = amo.get("users?limit=2").json()
    assert_entries(body, _total_items=5, _page_count=3)
    assert len(body["_embedded"]["users"]) == 2
    assert body["_embedded"]["users"][0]["rights"]["is_admin"] is True


def test_every_pipeline_ends_with_142_and_143(amo: Client) -> None:
    for pipeline in amo.items("leads/pipelines"):
        statuses = pipeline["_embedded"]["statuses"]
        assert [statuses[0]["type"], *(status["id"] for status in statuses[-2:])] == [1, 142, 143]


def test_loss_reasons_are_listed(amo: Client) -> None:
    assert "Дорого" in {reason["name"] for reason in amo.items("leads/loss_reasons")}


def test_an_unknown_path_is_a_problem_json(amo: Client) -> None:
    answer = amo.get("nothing")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_wrong_bearer_is_401(amo: Client) -> None:
    answer = amo.get("account", token="wrong")
    assert answer.status_code == 401
    assert answer.json()["title"] == "Unauthorized"


def test_an_unpaid_account_is_402(amo: Client) -> None:
    amo.set(paid=False)
    assert amo.get("account").status_code == 402


@pytest.mark.parametrize(("rights", "users", "leads"), [("own", 403, 200), ("external", 403, 200), ("none", 403, 403)])
def test_rights_of_the_token(amo: Client, rights: str, users: int, leads: int) -> None:
    amo.set(token_rights=rights)
    assert amo.get("users").status_code == users
    assert amo.get("leads").status_code == leads


def test_an_ordinary_user_sees_only_own_leads(amo: Client) -> None:
    amo.set(token_rights="own")
    assert {lead["responsible_user_id"] for lead in amo.items("leads?limit=250")} == {amo.world.users[1].id}


def test_the_eighth_request_within_a_second_is_429(fresh: Client) -> None:
    fresh.set(rps=7)
    statuses = [fresh.get("account").status_code for _ in range(8)]
    assert statuses == [200] * 7 + [429]


def test_all_integrations_together_share_the_accounts_rate(fresh: Client) -> None:
    fresh.set(account_rps=2)
    second = fresh.pair()["access_token"]
    assert [fresh.get("account", token).status_code for token in (None, second, None)] == [200, 200, 429]


@pytest.mark.parametrize(("body", "kind"), [("json", "application/problem+json"), ("html", "text/html")])
def test_a_429_is_json_or_html(fresh: Client, body: str, kind: str) -> None:
    fresh.set(account_rps=1, body_429=body)
    refused = [fresh.get("account") for _ in range(2)][1]
    assert refused.status_code == 429
    assert refused.headers["Content-Type"] == kind
    assert body == "html" or refused.json()["retry_after"] == 300


def test_too_many_429_block_everything_with_html(fresh: Client) -> None:
    fresh.set(account_rps=1, block_after_429=2)
    for _ in range(3):
        fresh.get("account")
    blocked = [fresh.get("account"), fresh.exchange(refresh_token="x")]
    assert [(a.status_code, a.headers["Content-Type"].partition(";")[0]) for a in blocked] == [(403, "text/html")] * 2


def test_a_block_is_lifted(fresh: Client) -> None:
    fresh.set(account_rps=1, block_after_429=1)
    for _ in range(2):
        fresh.get("account")
    fresh.reset()
    assert fresh.get("account").status_code == 200
