"""amoCRM's addresses, refusals and rows: what may be typed, answered and sent."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.integrations.amocrm import Amocrm
from synkro.integrations.amocrm_rules import account_address, judge
from synkro.integrations.amocrm_shapes import contact_of, lead_of, rows_of
from synkro.integrations.errors import SENTENCES, Busy, Nonsense, Refused
from synkro.integrations.http import Answer, Door
from synkro.integrations.masks import mask, without_numbers
from synkro.integrations.reading import number
from tests.integrations.conftest import NOW, Counted

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
        Amocrm({"subdomain": "demo"}, Door(Counted()))


def test_either_token_is_enough() -> None:
    assert Amocrm.missing({"subdomain": "demo"}) == ["token"]
    assert Amocrm.missing({"subdomain": "demo", "access_token": "a"}) == []
    assert Amocrm.missing({"token": "t"}) == ["subdomain"]


def test_secrets_are_secret() -> None:
    assert Amocrm.secret_names() == {"token", "client_secret", "access_token", "refresh_token"}


@given(st.integers(100, 599), st.binary(max_size=60), st.sampled_from(["application/problem+json", "text/html", ""]))
def test_every_answer_is_judged(status: int, body: bytes, kind: str) -> None:
    failure = judge(Answer(status, {"content-type": kind}, body, "amoCRM"))
    assert (failure is None) == (status < 300)
    assert failure is None or failure.code in {**SENTENCES, **Amocrm.sentences}


@given(st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(), st.lists(st.integers())))
def test_the_pause_after_429_is_between_a_second_and_an_hour(told: Any) -> None:
    failure = judge(Answer(429, {}, json.dumps({"retry_after": told}).encode(), "amoCRM"))
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
    assert (contact is None) == (number(row.get("id")) is None)
    assert lead is None or lead.updated_at == number(row["updated_at"])


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


@given(st.text())
def test_a_mask_leaves_two_digits_at_most(phone: str) -> None:
    assert sum(ch.isdecimal() for ch in mask(phone)) <= 2


@given(st.integers(10**6, 10**14))
def test_no_long_number_stays_in_a_name(digits: int) -> None:
    assert str(digits) not in without_numbers(f"Deal from +{digits}, urgent")
