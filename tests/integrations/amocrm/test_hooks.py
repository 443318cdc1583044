"""amoCRM's callbacks and tokens as they arrive: whom they name and whether they are genuine."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.integrations.amocrm.oauth import token_claims, uninstall_signature_ok, valid_referer
from synkro.integrations.amocrm.token_life import token_end
from synkro.sandbox.amocrm.oauth import long_lived_token
from synkro.sandbox.world import World
from tests.support.having import assert_entries


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("demo.amocrm.ru", "demo.amocrm.ru"),
        ("https://demo.amocrm.ru/", "demo.amocrm.ru"),
        ("DEMO-kz.kommo.com", "demo-kz.kommo.com"),
        ("demo.amocrm.com", "demo.amocrm.com"),
    ],
)
def test_a_referer_of_the_vendor_names_an_account(text: str, host: str) -> None:
    address = valid_referer(text)
    assert address is not None
    assert address.host == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        "demo",
        "amocrm.ru",
        "www.amocrm.ru",
        "api-b.amocrm.ru",
        "http://demo.amocrm.ru",
        "demo.amocrm.ru.evil.com",
        "evil.com/.amocrm.ru",
        "demo.amocrm.ru/path",
        "demo.amocrm.ru:443",
        "a@demo.amocrm.ru",
        "demo.amocrm.ru\n",
        "demo.amocrm.ru\nx",
        "demoXamocrm.ru",
        "-demo.amocrm.ru",
        "127.0.0.1",
        "дemo.amocrm.ru",
    ],
)
def test_any_other_referer_is_refused(text: str) -> None:
    assert valid_referer(text) is None


# Claims and hooks


def test_a_token_tells_where_it_belongs(world: World) -> None:
    claims = token_claims(long_lived_token(world))
    assert_entries(claims, account_id=world.account_id, api_domain="api-b.amocrm.ru")


@given(st.text())
def test_any_text_has_claims_or_none(token: str) -> None:
    assert isinstance(token_claims(token), dict)


@given(st.binary())
def test_any_payload_has_claims_or_none(payload: bytes) -> None:
    assert isinstance(token_claims(f"a.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.c"), dict)


def claiming(exp: str) -> str:
    payload = base64.urlsafe_b64encode(f'{{"exp": {exp}}}'.encode()).decode().rstrip("=")
    return f"a.{payload}.c"


def test_a_token_says_when_it_ends() -> None:
    assert token_end(claiming("1924992000")) == datetime(2031, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("exp", ["null", '"soon"', "-1", "0", "true", "1e400", "NaN", "9999999999999", "[]", "1.5"])
def test_an_end_that_cannot_be_read_is_none(exp: str) -> None:
    assert token_end(claiming(exp)) is None


@given(st.text())
def test_any_text_has_an_end_or_none(token: str) -> None:
    assert token_end(token) is None or token.count(".") == 2


HOOK = ("synthetic-client-secret-not-real", "7c1f0a52-3b1d-4e58-9a77-0d2f6b9c1e11", "31000001")
SIGNATURE = "641e165bd159331fc01deae3a12976746f7a3bf5ee419025642c1394a5f5f521"


def test_the_documented_signature_is_accepted() -> None:
    assert uninstall_signature_ok(*HOOK, SIGNATURE)


@pytest.mark.parametrize(
    "hook",
    [
        (*HOOK, SIGNATURE[:-1] + "0"),
        (*HOOK, ""),
        (*HOOK, "подпись"),
        (*HOOK[:2], "31000002", SIGNATURE),
        ("other", *HOOK[1:], SIGNATURE),
    ],
)
def test_any_other_signature_is_not(hook: tuple[str, str, str, str]) -> None:
    assert not uninstall_signature_ok(*hook)


def test_an_empty_secret_signs_nothing() -> None:
    forged = hmac.new(b"", f"{HOOK[1]}|{HOOK[2]}".encode(), hashlib.sha256).hexdigest()
    assert not uninstall_signature_ok("", *HOOK[1:], forged)
