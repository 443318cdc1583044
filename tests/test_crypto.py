from __future__ import annotations

import base64
from typing import Any

import psycopg
import pytest
from flask import Flask
from hypothesis import example, given, settings
from hypothesis import strategies as st

from synkro import embedded
from synkro.crypto import CannotOpen, Vault, key_id
from synkro.models import Tenant
from synkro.services.connections import integrations
from synkro.services.connections.secrets import open_secrets
from synkro.tenancy import tenant_scope
from tests.support.having import assert_has

KEY, OLD, STRANGE = "a1" * 32, "b2" * 32, "c3" * 32
PLACE = "secret|tenant|radist|api_key"
vault = Vault(KEY)

texts = st.text(min_size=1).filter(lambda text: not any("\ud800" <= ch <= "\udfff" for ch in text))


@settings(deadline=None)
@given(texts)
def test_what_was_sealed_opens(value: str) -> None:
    assert vault.open(vault.seal(value, PLACE), PLACE) == value


@settings(deadline=None)
@given(st.binary())
def test_bytes_that_were_sealed_open(data: bytes) -> None:
    assert vault.open_bytes(vault.seal_bytes(data, PLACE), PLACE) == data


def test_two_seals_of_one_value_differ() -> None:
    assert vault.seal("value", PLACE) != vault.seal("value", PLACE)
    assert vault.seal_bytes(b"value", PLACE) != vault.seal_bytes(b"value", PLACE)


def test_a_token_names_its_key_and_shows_no_value() -> None:
    token = vault.seal("recognisable", PLACE)
    assert token.startswith(f"v1.{key_id(KEY).hex()}.")
    body = token.rpartition(".")[2]
    assert b"recognisable" not in base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))


def test_a_flipped_bit_anywhere_is_found() -> None:
    for value in ("v", "va", "val"):  # one of each rest of base64
        token = vault.seal(value, PLACE)
        for at, character in enumerate(token):
            for bit in range(7):
                broken = token[:at] + chr(ord(character) ^ (1 << bit)) + token[at + 1 :]
                with pytest.raises(CannotOpen):
                    vault.open(broken, PLACE)


def test_a_flipped_bit_anywhere_in_bytes_is_found() -> None:
    sealed = vault.seal_bytes(b"page", PLACE)
    for bit in range(len(sealed) * 8):
        broken = bytearray(sealed)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CannotOpen):
            vault.open_bytes(bytes(broken), PLACE)


@settings(deadline=None)
@given(st.integers(min_value=0))
def test_a_cut_token_is_found(length: int) -> None:
    token = vault.seal("value", PLACE)
    with pytest.raises(CannotOpen):
        vault.open(token[: length % len(token)], PLACE)


def test_what_is_sealed_anew_needs_the_new_key_only() -> None:
    both = Vault(KEY, [OLD])
    token = both.reseal(Vault(OLD).seal("value", PLACE), PLACE)
    page = both.reseal_bytes(Vault(OLD).seal_bytes(b"page", PLACE), PLACE)
    assert vault.open(token, PLACE) == "value"
    assert vault.open_bytes(page, PLACE) == b"page"


def test_what_does_not_open_is_not_sealed_anew() -> None:
    """Else a value that was copied to another place would open there from now on."""
    both = Vault(KEY, [OLD])
    for broken in (Vault(OLD).seal("value", "elsewhere"), Vault(STRANGE).seal("value", PLACE), "value", ""):
        with pytest.raises(CannotOpen):
            both.reseal(broken, PLACE)
    for page in (Vault(OLD).seal_bytes(b"page", "elsewhere"), Vault(STRANGE).seal_bytes(b"page", PLACE), b"page", b""):
        with pytest.raises(CannotOpen):
            both.reseal_bytes(page, PLACE)


def test_a_vault_names_its_keys() -> None:
    both = Vault(KEY, [OLD])
    assert_has(both, current=key_id(KEY).hex(), older=[key_id(OLD).hex()])


@pytest.mark.parametrize(
    "elsewhere", ["secret|other|radist|api_key", "secret|tenant|amocrm|api_key", "secret|tenant|radist|company_id", ""]
)
def test_it_does_not_open_in_another_place(elsewhere: str) -> None:
    with pytest.raises(CannotOpen):
        vault.open(vault.seal("value", PLACE), elsewhere)
    with pytest.raises(CannotOpen):
        vault.open_bytes(vault.seal_bytes(b"value", PLACE), elsewhere)


def test_an_old_key_opens_and_the_new_one_seals() -> None:
    token = Vault(OLD).seal("value", PLACE)
    turned = Vault(KEY, [OLD])
    assert turned.open(token, PLACE) == "value"
    assert turned.seal("value", PLACE).startswith(f"v1.{key_id(KEY).hex()}.")


def test_an_unknown_key_does_not_open() -> None:
    with pytest.raises(CannotOpen, match="not configured"):
        vault.open(Vault(STRANGE).seal("value", PLACE), PLACE)
    with pytest.raises(CannotOpen, match="not configured"):
        vault.open_bytes(Vault(STRANGE).seal_bytes(b"value", PLACE), PLACE)


NAMED = f"v1.{key_id(KEY).hex()}."


@settings(deadline=None)
@given(
    st.text() | st.text().map(NAMED.__add__) | st.binary().map(lambda b: NAMED + base64.urlsafe_b64encode(b).decode())
)
@example("v1..")
@example("v1")
@example(NAMED)
@example(f"v1.{key_id(KEY).hex()} .AAAA")
@example("v1.ключ.AAAA")
@example("\ud800")
def test_garbage_is_refused_and_nothing_else(token: str) -> None:
    with pytest.raises(CannotOpen):
        vault.open(token, PLACE)


@settings(deadline=None)
@given(st.binary() | st.binary().map((b"\x01" + key_id(KEY)).__add__))
def test_garbage_bytes_are_refused_and_nothing_else(sealed: bytes) -> None:
    with pytest.raises(CannotOpen):
        vault.open_bytes(sealed, PLACE)


def test_a_refusal_says_nothing_about_the_value() -> None:
    token = vault.seal("recognisable", PLACE)
    with pytest.raises(CannotOpen) as caught:
        vault.open(token, "elsewhere")
    assert token not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_empty_value_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        vault.seal("", PLACE)


@pytest.mark.parametrize("key", ["", "ab", "zz" * 32, "a1" * 31])
def test_a_bad_key_makes_no_vault(key: str) -> None:
    with pytest.raises(ValueError):
        Vault(key)


SECRET = "recognisable-api-key-0123456789"


@pytest.fixture
def stored(app: Flask, tenant: Tenant, engines: embedded.Engines) -> dict[str, Any]:
    """The row as it lies in the table."""
    with tenant_scope(tenant.id):
        integrations.save("radist", {"api_key": SECRET, "company_id": "17"}, actor="test")
    with psycopg.connect(engines.superuser_url, dbname="synkro") as connection:
        row = connection.execute("select settings, secrets, c::text from integration_configs c").fetchone()
    assert row is not None
    return {"settings": row[0], "secrets": row[1], "whole": row[2]}


def test_the_column_in_the_table_is_sealed(stored: dict[str, Any]) -> None:
    assert stored["secrets"]["api_key"].startswith("v1.")
    assert SECRET not in stored["whole"]
    assert "api_key" not in stored["settings"]


def test_a_secret_that_was_copied_to_another_company_does_not_open(
    stored: dict[str, Any], tenant: Tenant, other_tenant: Tenant
) -> None:
    with tenant_scope(other_tenant.id):
        config = integrations.save("radist", {"api_key": "theirs"}, actor="test")
        config.secrets = dict(stored["secrets"])
        with pytest.raises(CannotOpen):
            open_secrets(config)
    with tenant_scope(tenant.id):
        mine = integrations.find("radist")
        assert mine is not None
        assert open_secrets(mine) == {"api_key": SECRET}
