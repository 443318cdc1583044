"""Everything that Supabase is known to answer instead of a success: the colour, the code and the words of the check.

What needs no fault on order is tried on the real PostgREST, too: tests/integrations/test_supabase.py.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from synkro.integrations import supabase
from synkro.integrations.supabase import Supabase, schema_sql
from synkro.sandbox.keys import Keys
from synkro.sandbox.supabase_jwt import legacy_key
from synkro.services import checks, integrations
from synkro.services.wording import is_known
from synkro.tenancy import tenant_scope
from tests.integrations.conftest import resolving_to
from tests.integrations.conftest import short_pauses as short_pauses  # noqa: PLC0414 (a fixture of theirs)
from tests.practice import Practice

KEY = Keys()
REF = KEY.supabase_ref
ELSEWHERE = "https://zzzzzzzzzzzzzzzzzzzz.supabase.co"
OLD_SQL = schema_sql().replace("'schema_version', '1'", "'schema_version', '0'")
LEGACY = {"publishable_key": legacy_key(KEY, "anon"), "secret_key": legacy_key(KEY, "service_role")}

FAULTS: list[tuple[str, dict[str, Any], str, str]] = [
    # what happens, the order to the emulator (settings: typed in; resolves: what the name leads to), colour, code
    ("The project is paused after a week without use", {"fault": "540"}, "red", "supabase_paused"),
    ("A quota is used up or an invoice is unpaid", {"fault": "402"}, "red", "supabase_restricted"),
    ("The gateway gives up waiting", {"fault": "544"}, "red", "server_error"),
    ("An error page in HTML", {"fault": "502_html"}, "red", "server_error"),
    ("Service unavailable", {"fault": "503"}, "red", "server_error"),
    ("Too many requests", {"fault": "429"}, "red", "busy"),
    ("The connection breaks before the answer", {"fault": "drop"}, "red", "unreachable"),
    ("No answer in time", {"fault": "slow", "seconds": 1.0}, "red", "too_slow"),
    ("A page of somebody in between, with 200", {"fault": "html"}, "red", "not_json"),
    ("An empty answer, with 200", {"fault": "empty"}, "red", "not_json"),
    ("An answer that ends in the middle", {"fault": "broken_json"}, "red", "not_json"),
    ("An answer without end", {"fault": "huge", "value": 33_000_000}, "red", "too_large"),
    (
        "The old keys are switched off",
        {"fault": "legacy_disabled", "settings": LEGACY},
        "red",
        "supabase_legacy_disabled",
    ),
    ("The tables were never made", {"fault": "stale_cache", "path": "/rest/v1/synkro_"}, "red", "supabase_no_tables"),
    (
        "One table is missing",
        {"fault": "stale_cache", "path": "/rest/v1/synkro_messages"},
        "red",
        "supabase_no_tables",
    ),
    ("The tables are of an older version", {"fault": "run_sql", "value": OLD_SQL}, "red", "supabase_schema_old"),
    (
        "A column is missing",
        {"fault": "stale_cache", "path": "/rest/v1/synkro_meta", "value": "value"},
        "red",
        "supabase_schema_old",
    ),
    (
        "The secret key has no rights on the tables",
        {"fault": "no_grant", "path": "synkro_"},
        "red",
        "supabase_no_grants",
    ),
    ("The secret key may only read", {"fault": "read_only_key"}, "red", "supabase_no_grants"),
    ("Anyone can read the deals", {"fault": "isolation", "value": "rows"}, "red", "supabase_public_data"),
    ("Others have rights, but see no rows", {"fault": "isolation", "value": "empty"}, "yellow", "supabase_granted"),
    ("A row is confirmed and not kept", {"fault": "write_lost"}, "red", "supabase_write_lost"),
    ("The database is full and read-only", {"fault": "25006"}, "red", "supabase_read_only"),
    ("The database stops a statement", {"fault": "57014"}, "red", "supabase_slow"),
    ("Two writers block each other", {"fault": "40P01"}, "red", "server_error"),
    ("The schema cache is being loaded", {"fault": "PGRST002"}, "red", "server_error"),
    ("No free connection to the database", {"fault": "PGRST003"}, "red", "server_error"),
    ("Nothing listens at the address", {"settings": {"url": "http://127.0.0.1:1"}}, "red", "supabase_no_answer"),
    (
        "There is no such project: its name is unknown",
        {"settings": {"url": REF}, "resolves": ""},
        "red",
        "supabase_no_answer",
    ),
    (
        "The name leads into a private network",
        {"settings": {"url": REF}, "resolves": "10.0.0.1"},
        "red",
        "address_refused",
    ),
    ("No address of Supabase", {"settings": {"url": "https://supabase.com"}}, "red", "supabase_url_form"),
    ("An IP address", {"settings": {"url": "https://10.0.0.1"}}, "red", "supabase_url_form"),
    (
        "A server of one's own that staff have not approved",
        {"settings": {"url": "https://db.example.kz"}},
        "red",
        "supabase_host_unapproved",
    ),
    (
        "The keys stand in each other's fields",
        {"settings": {"publishable_key": KEY.supabase_secret_key, "secret_key": KEY.supabase_publishable_key}},
        "red",
        "supabase_keys_swapped",
    ),
    (
        "A secret key in the field of the publishable one",
        {"settings": {"publishable_key": KEY.supabase_secret_key}},
        "red",
        "supabase_public_key_is_secret",
    ),
    (
        "A publishable key in the field of the secret one",
        {"settings": {"secret_key": KEY.supabase_publishable_key}},
        "red",
        "supabase_secret_key_is_public",
    ),
    (
        "Something else as the publishable key",
        {"settings": {"publishable_key": "hello"}},
        "red",
        "supabase_public_key_form",
    ),
    ("Something else as the secret key", {"settings": {"secret_key": "hello"}}, "red", "supabase_secret_key_form"),
    (
        "The old publishable key is of another project",
        {"settings": {"url": ELSEWHERE, "publishable_key": LEGACY["publishable_key"]}},
        "red",
        "supabase_public_key_elsewhere",
    ),
    (
        "The old secret key is of another project",
        {"settings": {"url": ELSEWHERE, "secret_key": LEGACY["secret_key"]}},
        "red",
        "supabase_secret_key_elsewhere",
    ),
    (
        "The old publishable key has expired",
        {"settings": {"publishable_key": legacy_key(KEY, "anon", expires=1)}},
        "red",
        "supabase_public_key_expired",
    ),
    (
        "The old secret key has expired",
        {"settings": {"secret_key": legacy_key(KEY, "service_role", expires=1)}},
        "red",
        "supabase_secret_key_expired",
    ),
    (
        "A publishable key that the project does not know",
        {"settings": {"publishable_key": "sb_publishable_unknown"}},
        "red",
        "supabase_public_key_refused",
    ),
    (
        "A secret key that the project does not know",
        {"settings": {"secret_key": "sb_secret_unknown"}},
        "red",
        "supabase_secret_key_refused",
    ),
    ("A key with letters that no key has", {"settings": {"secret_key": "sb_secret_ключ"}}, "red", "key_malformed"),
]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Supabase, "reload_seconds", 0.01)
    monkeypatch.setitem(supabase.CHECKING, "read_seconds", 0.3)


@pytest.fixture
def connected(practice: Practice) -> Iterator[Practice]:
    """One deal lies there."""
    moment = "2026-03-17T12:00:00Z"
    row = {"account_id": 1, "lead_id": 1, "name": "Deal", "pipeline_id": 1, "status_id": 1}
    practice.allow("http://127.0.0.1:1")
    with tenant_scope(practice.tenant.id):
        client = integrations.build("supabase")
        assert isinstance(client, Supabase)
        client.upsert("synkro_leads", [{**row, "created_at": moment, "updated_at": moment}])
        yield practice


def arrange(practice: Practice, cause: dict[str, Any], patch: pytest.MonkeyPatch) -> None:
    order = dict(cause)
    resolves = order.pop("resolves", None)
    if settings := order.pop("settings", None):
        integrations.save("supabase", settings, actor="test")
    if resolves is not None:
        patch.setattr(socket, "getaddrinfo", resolving_to(resolves) if resolves else unknown_name)
    if order:
        practice.control("supabase", **{"times": 1 if order["fault"] == "run_sql" else -1, **order})


def unknown_name(*_args: object, **_more: object) -> None:
    raise socket.gaierror(8, "unknown")


@pytest.mark.parametrize(("what", "cause", "colour", "code"), FAULTS, ids=[row[0] for row in FAULTS])
def test_each_fault_has_its_colour_and_its_words(
    connected: Practice, monkeypatch: pytest.MonkeyPatch, what: str, cause: dict[str, Any], colour: str, code: str
) -> None:
    arrange(connected, cause, monkeypatch)
    began = time.monotonic()
    checks.run("supabase")
    config = integrations.find("supabase")
    assert config is not None
    assert (config.check_colour, config.check_code) == (colour, code), what
    assert is_known(code)
    assert "%(" not in checks.says(config)
    assert time.monotonic() - began < checks.CHECK_SECONDS / 4


def test_without_a_fault_it_is_green(connected: Practice) -> None:
    assert checks.run("supabase").colour == "green"


def test_every_sentence_of_a_check_has_a_fault_that_leads_to_it() -> None:
    """But those that belong to a run or an act, and those of answers that no fault can order."""
    elsewhere = {
        "supabase_ok",
        "supabase_tables_ok",
        "supabase_row_refused",
        "supabase_count_differs",
        "supabase_key_refused",
        "supabase_secret_needed",
        "supabase_forbidden",
        "supabase_not_found",
        "supabase_rejected",
    }
    assert set(Supabase.sentences) - elsewhere == {code for *_, code in FAULTS if code.startswith("supabase_")}
