"""Addresses and keys of a project, as people type them."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.integrations.errors import Refused
from synkro.integrations.http.client import HttpClient
from synkro.integrations.supabase.client import Supabase
from synkro.integrations.supabase.keys import claims, key_fault, key_headers, keys_fault, project_address, tidy_address
from synkro.sandbox.supabase.jwt import legacy_key
from tests.support.emulators import Counted
from tests.support.having import assert_has
from tests.support.supabase_project import KEY

REF = "abcdefghijklmnopqrst"


@pytest.mark.parametrize(
    "text",
    [
        f"https://{REF}.supabase.co",
        f" https://{REF}.supabase.co/ ",
        f"https://{REF}.supabase.co/rest/v1/",
        f"https://{REF}.supabase.co:443",
        f"HTTPS://{REF.upper()}.Supabase.co",
        f"{REF}.supabase.co",
        REF,
        f"https://supabase.com/dashboard/project/{REF}",
        f"https://supabase.com/dashboard/project/{REF}/settings/api-keys",
        f"https://app.supabase.com/project/{REF}/editor",
        f"postgresql://postgres:secret@db.{REF}.supabase.co:5432/postgres",
    ],
)
def test_every_way_to_write_the_address_is_understood(text: str) -> None:
    assert project_address(text, ()) == f"https://{REF}.supabase.co"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "supabase.co",
        "https://supabase.com",
        f"http://{REF}.supabase.co",
        f"https://{REF}.supabase.co@evil.test",
        "https://xn--80ak6aa92e.com",
        "https://db.xn--80ak6aa92e.com",
        "https://аррӏе.com",
        "https://10.0.0.1",
        "https://2130706433",
        "http://db.example.kz",
        "db.example.kz:99999",
        f"https://user:pw@{REF}.supabase.co",
        f"https://{REF}.supabase.co:8443",
        "https://127.0.0.1",
        "http://localhost:3000",
        "http://host:99999",
        "https://[::1",
        f"ftp://{REF}.supabase.co",
        f"https://{REF[:-1]}.supabase.co",
    ],
)
def test_every_other_address_is_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        project_address(text, {"10.0.0.1:80"})
    assert caught.value.code == "supabase_url_form"


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://db.example.kz/rest/v1/", "db.example.kz"),
        ("DB.Example.KZ", "db.example.kz"),
        ("https://db.example.kz:8443", "db.example.kz:8443"),
        (f"https://{REF}.supabase.co.evil.test", f"{REF}.supabase.co.evil.test"),
        (f"https://evil.test/dashboard/project/{REF}", "evil.test"),
    ],
)
def test_a_server_of_ones_own_waits_for_an_approval(text: str, host: str) -> None:
    with pytest.raises(Refused) as caught:
        project_address(text, (), {"db.example.kz:9999"})
    assert_has(caught.value, code="supabase_host_unapproved", params={"host": host})


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("db.example.kz", "https://db.example.kz"),
        ("https://db.example.kz:443/rest/v1", "https://db.example.kz"),
        ("https://db.example.kz:8443/", "https://db.example.kz:8443"),
    ],
)
def test_an_approved_host_is_taken_with_exactly_its_port(text: str, address: str) -> None:
    assert project_address(text, (), {"db.example.kz:443", "db.example.kz:8443"}) == address


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f" {REF} ", f"https://{REF}.supabase.co"),
        (f"https://supabase.com/dashboard/project/{REF}/sql/new", f"https://{REF}.supabase.co"),
        (f"postgresql://postgres:secret@db.{REF}.supabase.co:5432/postgres", f"https://{REF}.supabase.co"),
        ("https://me:secret@DB.Example.kz/rest/v1?x=1", "https://db.example.kz"),
        ("me:secret@db.example.kz", "https://db.example.kz"),
        (f"postgresql://postgres:sec/r@et@db.{REF}.supabase.co:5432/postgres", f"https://{REF}.supabase.co"),
        ("postgresql://a:secret@pooler.test:6543/postgres", "postgresql://pooler.test:6543/postgres"),
        ("http://127.0.0.1:54321", "http://127.0.0.1:54321"),
        ("our database", "our database"),
    ],
)
def test_an_address_is_kept_as_people_know_it_and_without_a_password(text: str, kept: str) -> None:
    assert tidy_address(text) == kept


@given(st.text())
def test_tidying_twice_is_tidying_once(text: str) -> None:
    assert tidy_address(tidy_address(text)) == tidy_address(text)


def test_a_listed_host_is_taken_with_its_port() -> None:
    assert project_address("http://10.0.0.1:54321/rest/v1", {"10.0.0.1:54321"}) == "http://10.0.0.1:54321"


@given(st.text())
def test_an_address_is_understood_or_refused(text: str) -> None:
    with contextlib.suppress(Refused):
        assert re.fullmatch(r"https://[a-z0-9]{20}\.supabase\.co", project_address(text, ()))


def test_new_keys_go_alone_and_old_ones_twice() -> None:
    assert key_headers("sb_secret_x") == {"apikey": "sb_secret_x"}
    assert key_headers("eyJ.a.b") == {"apikey": "eyJ.a.b", "Authorization": "Bearer eyJ.a.b"}


@pytest.mark.parametrize(
    ("key", "wanted", "ref", "code"),
    [
        ("sb_publishable_x", "public", REF, None),
        ("sb_secret_x", "secret", REF, None),
        ("sb_secret_x", "public", REF, "supabase_public_key_is_secret"),
        (legacy_key(KEY, "anon"), "secret", KEY.supabase_ref, "supabase_secret_key_is_public"),
        (legacy_key(KEY, "anon"), "public", KEY.supabase_ref, None),
        (legacy_key(KEY, "anon"), "public", REF, "supabase_public_key_elsewhere"),
        (legacy_key(KEY, "anon"), "public", None, None),
        (legacy_key(KEY, "service_role", expires=1), "secret", None, "supabase_secret_key_expired"),
        (legacy_key(KEY, "authenticated"), "public", None, "supabase_public_key_form"),
        ("", "secret", REF, "supabase_secret_key_form"),
        ("a.b.c", "public", REF, "supabase_public_key_form"),
        ("пароль", "secret", REF, "supabase_secret_key_form"),
    ],
)
def test_a_key_is_judged_by_sight(key: str, wanted: Any, ref: str | None, code: str | None) -> None:
    assert key_fault(key, wanted, ref) == code


@pytest.mark.parametrize(
    ("public", "secret", "code"),
    [
        ("sb_secret_x", "sb_publishable_x", "supabase_keys_swapped"),
        (legacy_key(KEY, "service_role"), "sb_publishable_x", "supabase_keys_swapped"),
        ("sb_secret_x", "sb_secret_x", "supabase_public_key_is_secret"),
        ("sb_publishable_x", "sb_publishable_x", "supabase_secret_key_is_public"),
        ("sb_publishable_x", "sb_secret_x", None),
    ],
)
def test_keys_in_the_wrong_field_are_told_by_field(public: str, secret: str, code: str | None) -> None:
    assert keys_fault(public, secret, REF) == code


@given(st.text())
def test_any_text_has_claims_or_none(text: str) -> None:
    assert isinstance(claims(f"x.{text}.y"), dict)


def test_a_key_that_http_cannot_carry_is_refused_without_being_told() -> None:
    settings = {"url": REF, "publishable_key": "sb_publishable_x", "secret_key": "sb_secret_пароль"}
    with pytest.raises(Refused) as caught:
        Supabase(settings, HttpClient(Counted()))
    assert caught.value.code == "key_malformed"
    assert caught.value.__context__ is None


def test_both_keys_are_secret() -> None:
    assert Supabase.secret_names() == {"publishable_key", "secret_key"}
