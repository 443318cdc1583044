"""amoCRM's addresses, refusals and rows: what may be typed, answered and sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.infra.records import Contact, Lead
from synkro.integrations.amocrm.client import Amocrm
from synkro.integrations.amocrm.rules import account_address, check_answer
from synkro.integrations.amocrm.shapes import contact_of, lead_of, managers_of, names_of, preview, rows_of, stages_of
from synkro.integrations.errors import SENTENCES, Busy, Nonsense, Refused
from synkro.integrations.http.calls import HttpAnswer
from synkro.integrations.http.client import HttpClient
from synkro.integrations.masks import without_numbers
from synkro.integrations.reading import number, words
from tests.support.emulators import NOW, Counted
from tests.support.having import assert_has

START, END = NOW - timedelta(days=1), NOW


# Address and token


@pytest.mark.parametrize(
    ("typed", "zone", "host"),
    [
        ("demo", "", "demo.amocrm.ru"),
        ("demo", "kommo.com", "demo.kommo.com"),
        (" Demo-KZ ", "amocrm.ru", "demo-kz.amocrm.ru"),
        ("demo.amocrm.ru", "", "demo.amocrm.ru"),
        ("demo.kommo.com", "amocrm.ru", "demo.kommo.com"),
        ("https://demo.amocrm.ru/leads/detail/1?x=2#y", "", "demo.amocrm.ru"),
        ("http://demo.amocrm.com", "", "demo.amocrm.com"),
    ],
)
def test_an_address_is_understood_as_people_type_it(typed: str, zone: str, host: str) -> None:
    assert account_address(typed, zone).host == host


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "www",
        "www.amocrm.ru",
        "-demo",
        "demo.evil.com",
        "evil.com/demo.amocrm.ru",
        "demo.amocrm.ru.evil.com",
        "demo.amocrm.ru@evil.com",
        "https://evil.com#.amocrm.ru",
        "a.b.amocrm.ru",
        "demo.amocrm.ru:8080",
        "demo\n.amocrm.ru",
        "дeмо",
        "127.0.0.1",
        "localhost.",
        "demo amocrm",
        "a" * 64,
    ],
)
def test_any_other_address_is_refused(typed: str) -> None:
    with pytest.raises(Refused, match="amocrm_bad_address"):
        account_address(typed)


@given(st.text(), st.text())
def test_no_text_leads_to_a_foreign_host(typed: str, zone: str) -> None:
    try:
        address = account_address(typed, zone)
    except Refused:
        return
    parts = urlsplit(f"https://{address.host}/api/v4")
    assert parts.hostname == address.host
    assert address.host.endswith((".amocrm.ru", ".amocrm.com", ".kommo.com"))


def test_without_a_token_nothing_is_opened() -> None:
    with pytest.raises(Refused, match="amocrm_reconnect"):
        Amocrm({"subdomain": "demo"}, HttpClient(Counted()))


KEYS = {"client_id": "i", "client_secret": "s"}


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"subdomain": "demo"}, ["token"]),
        ({"token": "t"}, ["subdomain"]),
        ({"subdomain": "demo", "token": "t"}, []),
        ({"subdomain": "demo", "access_token": "a"}, []),
        ({"subdomain": "demo", **KEYS}, ["token"]),
        ({"subdomain": "demo", **KEYS, "refresh_token": "r"}, []),
        ({"subdomain": "demo", **KEYS, "code": "c"}, []),
        ({"subdomain": "demo", **KEYS, "expires_at": "0"}, []),
        ({"subdomain": "demo", "client_id": "i", "refresh_token": "r"}, ["token"]),
        ({"subdomain": "demo", "code": "c"}, ["token"]),
    ],
)
def test_what_opens_an_account_or_can_be_made_into_it_is_enough(settings: dict[str, str], missing: list[str]) -> None:
    assert Amocrm.missing(settings) == missing


def test_secrets_are_secret() -> None:
    assert Amocrm.secret_names() == {"token", "client_secret", "access_token", "refresh_token", "code"}


@given(st.integers(100, 599), st.binary(max_size=60), st.sampled_from(["application/problem+json", "text/html", ""]))
def test_every_answer_is_judged(status: int, body: bytes, kind: str) -> None:
    failure = check_answer(HttpAnswer(status, {"content-type": kind}, body, "amoCRM"))
    assert (failure is None) == (status < 300)
    assert failure is None or failure.code in {**SENTENCES, **Amocrm.sentences}


@given(st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(), st.lists(st.integers())))
def test_the_pause_after_429_is_between_a_second_and_an_hour(told: Any) -> None:
    failure = check_answer(HttpAnswer(429, {}, json.dumps({"retry_after": told}).encode(), "amoCRM"))
    assert isinstance(failure, Busy)
    assert failure.retry_after is not None
    assert 1 <= failure.retry_after <= 3_600


# Rows of any shape


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["id", "name", "price", "updated_at", "created_at", "is_deleted", "custom_fields_values", "_embedded", "values"]
)


@given(st.dictionaries(NAMES, JSON))
def test_a_row_of_any_shape_is_a_record_or_left_out(row: dict[str, Any]) -> None:
    lead, contact = lead_of(row), contact_of(row)
    assert (contact is None) == (number(row.get("id")) is None or row.get("is_deleted") is True)
    assert lead is None or lead.updated_at == number(row["updated_at"])


ODD_TIMES = [-1, 1_773_000_000_000, 10**15, 2**63 - 1, "1773000000000", "yesterday", 1.5, True]
TIMES = st.one_of(st.sampled_from(ODD_TIMES), st.integers(-(2**64), 2**64), st.none())


@given(TIMES, TIMES, TIMES)
def test_every_time_of_a_record_can_be_shown(created: Any, updated: Any, closed: Any) -> None:
    row = {"id": 1, "created_at": created, "updated_at": updated, "closed_at": closed}
    lead, contact = lead_of(row), contact_of(row)
    assert contact is not None
    seconds = [contact.updated_at, *((lead.created_at, lead.updated_at, lead.closed_at or 0) if lead else ())]
    assert all(datetime.fromtimestamp(second, UTC).year <= 2100 for second in seconds)


@pytest.mark.parametrize("odd", ODD_TIMES)
def test_a_deal_with_an_odd_side_time_is_kept(odd: Any) -> None:
    lead = lead_of({"id": 1, "updated_at": 5, "created_at": odd, "closed_at": odd})
    assert lead is not None
    assert_has(lead, created_at=5, closed_at=None)


@pytest.mark.parametrize("odd", ODD_TIMES)
def test_a_deal_whose_last_change_cannot_be_placed_is_left_out(odd: Any) -> None:
    assert lead_of({"id": 1, "updated_at": odd}) is None


def test_a_contact_in_the_bin_is_missing() -> None:
    assert contact_of({"id": 1, "is_deleted": True}) is None


# Names


HARMFUL = "\x00\x07\x1b\x85\u202e\u2066\ud800\udfff"


@given(st.text(st.sampled_from("ab \n" + HARMFUL)), st.integers(1, 20))
def test_words_are_without_what_stores_refuse_and_not_too_long(text: str, limit: int) -> None:
    found = words(text, limit)
    assert not set(found) & set(HARMFUL)
    assert len(found) <= limit
    found.encode()


@given(st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.lists(st.text())))
def test_what_is_no_text_is_a_number_or_nothing(value: Any) -> None:
    assert words(value, 30) == ("" if number(value) is None else str(number(value)))


def test_a_name_in_any_script_stays_as_it_is() -> None:
    assert words(" Әлия 👩‍🔧 «ТОО» ", 40) == "Әлия 👩‍🔧 «ТОО»"


def test_every_name_of_the_vendor_is_cleaned() -> None:
    row = {"id": 1, "updated_at": 5, "name": f" A{HARMFUL}b " + "c" * 9_999}
    stage = stages_of({**row, "_embedded": {"statuses": [row]}})[0]
    lead, contact = lead_of(row), contact_of(row)
    assert lead is not None
    assert contact is not None
    names = [lead.name, contact.name, managers_of([row])[0].name, stage.name, stage.pipeline_name, names_of([row])[1]]
    assert {name[:3] for name in names} == {"Ab "}
    assert {len(name) for name in names} == {300}


def test_a_phone_is_cleaned() -> None:
    fields = [{"field_code": "PHONE", "values": [{"value": "\u202a+7 701\x00 000 00 01\u202c"}]}]
    contact = contact_of({"id": 1, "custom_fields_values": fields})
    assert contact is not None
    assert contact.phones == ("+7 701 000 00 01",)


@given(st.dictionaries(st.sampled_from(["_embedded", "leads"]), JSON, min_size=1))
def test_an_envelope_of_any_shape_is_rows_or_nonsense(payload: dict[str, Any]) -> None:
    try:
        rows = rows_of(payload, "leads")
    except Nonsense:
        return
    assert all(isinstance(row, dict) for row in rows)


@pytest.mark.parametrize("mark", ["enum", "enum_code"])
def test_phones_are_read_by_field_code_whatever_the_key_of_their_kind(mark: str) -> None:
    values = [{"value": " +7 701 000 00 01 ", mark: "WORK"}, {"value": None}, {"value": ""}, {"value": 87010000002}]
    fields = [{"field_code": "EMAIL", "values": [{"value": "a@b.kz"}]}, {"field_code": "PHONE", "values": values}]
    contact = contact_of({"id": 1, "name": None, "custom_fields_values": fields})
    assert contact is not None
    assert contact.phones == ("+7 701 000 00 01", "87010000002")


def test_a_contact_without_fields_has_no_phones() -> None:
    contact = contact_of({"id": 1, "custom_fields_values": None})
    assert contact is not None
    assert contact.phones == ()


@given(st.integers(10**6, 10**14))
def test_a_name_shows_a_number_as_a_field_does(digits: int) -> None:
    lead, contact = Lead(1, "", None, 1, 1, None, 0, 0), Contact(1, str(digits), (str(digits),))
    *_, name, phone = preview(lead, "", contact).lines
    assert name == phone


@given(st.integers(10**6, 10**14))
def test_no_long_number_stays_in_a_name(digits: int) -> None:
    assert str(digits) not in without_numbers(f"Deal from +{digits}, urgent")
