"""Everything that Supabase is known to answer instead of a success: the colour, the code and the words of the check.

What needs no fault on order is tried on the real PostgREST, too: tests/integrations/supabase/test_client.py.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from synkro.infra import queue
from synkro.integrations.base import SAMPLE
from synkro.integrations.supabase import client as supabase
from synkro.integrations.supabase.client import Supabase, schema_sql
from synkro.jobs.engine.worker import work_on
from synkro.sandbox.keys import Keys
from synkro.sandbox.supabase.jwt import legacy_key
from synkro.services.connections import checks, integrations, trials
from synkro.tenancy import tenant_scope
from tests.support.emulators import resolving_to
from tests.support.emulators import short_pauses as short_pauses  # noqa: PLC0414 (a fixture of theirs)
from tests.support.faults import Fault
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.seeing import assert_plain, seen

KEY = Keys()
REF = KEY.supabase_ref
ELSEWHERE = "https://zzzzzzzzzzzzzzzzzzzz.supabase.co"
OLD_SQL = schema_sql().replace("'schema_version', '1'", "'schema_version', '0'")
KEYS = {"publishable_key": KEY.supabase_publishable_key, "secret_key": KEY.supabase_secret_key}
LEGACY = {"publishable_key": legacy_key(KEY, "anon"), "secret_key": legacy_key(KEY, "service_role")}

FAULTS: list[Fault] = [
    Fault("The project is paused after a week without use", {"fault": "540"}, "red", "supabase_paused"),
    Fault("A quota is used up or an invoice is unpaid", {"fault": "402"}, "red", "supabase_restricted"),
    Fault("The gateway gives up waiting", {"fault": "544"}, "red", "server_error"),
    Fault("An error page in HTML", {"fault": "502_html"}, "red", "server_error"),
    Fault("Service unavailable", {"fault": "503"}, "red", "server_error"),
    Fault("Too many requests", {"fault": "429"}, "red", "busy"),
    Fault("The connection breaks before the answer", {"fault": "drop"}, "red", "unreachable"),
    Fault("The connection breaks after the request", {"fault": "drop_after"}, "red", "unreachable"),
    Fault("Something breaks inside", {"fault": "500"}, "red", "server_error"),
    Fault("Too many requests, told by a page", {"fault": "429_html"}, "red", "busy"),
    Fault("No answer in time", {"fault": "slow", "seconds": 1.0}, "red", "too_slow"),
    Fault("A page of somebody in between, with 200", {"fault": "html"}, "red", "not_json"),
    Fault("An empty answer, with 200", {"fault": "empty"}, "red", "not_json"),
    Fault("An answer that ends in the middle", {"fault": "broken_json"}, "red", "not_json"),
    Fault("An answer without end", {"fault": "huge", "value": 33_000_000}, "red", "too_large"),
    Fault(
        "The old keys are switched off",
        {"fault": "legacy_disabled", "settings": LEGACY},
        "red",
        "supabase_legacy_disabled",
    ),
    Fault(
        "The tables were never made", {"fault": "stale_cache", "path": "/rest/v1/synkro_"}, "red", "supabase_no_tables"
    ),
    Fault(
        "One table is missing",
        {"fault": "stale_cache", "path": "/rest/v1/synkro_messages"},
        "red",
        "supabase_no_tables",
    ),
    Fault("The tables are of an older version", {"fault": "run_sql", "value": OLD_SQL}, "red", "supabase_schema_old"),
    Fault(
        "A column is missing",
        {"fault": "stale_cache", "path": "/rest/v1/synkro_meta", "value": "value"},
        "red",
        "supabase_schema_old",
    ),
    Fault(
        "The secret key has no rights on the tables",
        {"fault": "no_grant", "path": "synkro_"},
        "red",
        "supabase_no_grants",
    ),
    Fault("The secret key may only read", {"fault": "read_only_key"}, "red", "supabase_no_grants"),
    Fault("Anyone can read the deals", {"fault": "isolation", "value": "rows"}, "red", "supabase_public_data"),
    Fault(
        "Anyone can read the row that is there before any deal",
        {"fault": "isolation", "value": "rows", "path": "synkro_meta"},
        "red",
        "supabase_public_data",
    ),
    Fault(
        "Others have rights, but see no rows", {"fault": "isolation", "value": "empty"}, "yellow", "supabase_granted"
    ),
    Fault("A row is confirmed and not kept", {"fault": "write_lost"}, "red", "supabase_write_lost"),
    Fault("The database is full and read-only", {"fault": "25006"}, "red", "supabase_read_only"),
    Fault("The database stops a statement", {"fault": "57014"}, "red", "supabase_slow"),
    Fault("Two writers block each other", {"fault": "40P01"}, "red", "server_error"),
    Fault("The schema cache is being loaded", {"fault": "PGRST002"}, "red", "server_error"),
    Fault("No free connection to the database", {"fault": "PGRST003"}, "red", "server_error"),
    Fault("Nothing listens at the address", {"settings": {"url": "http://127.0.0.1:1"}}, "red", "supabase_no_answer"),
    Fault(
        "There is no such project: its name is unknown",
        {"settings": {"url": REF}, "resolves": ""},
        "red",
        "supabase_no_answer",
    ),
    Fault(
        "The name leads into a private network",
        {"settings": {"url": REF}, "resolves": "10.0.0.1"},
        "red",
        "address_refused",
    ),
    Fault("No address of Supabase", {"settings": {"url": "https://supabase.com"}}, "red", "supabase_url_form"),
    Fault("An IP address", {"settings": {"url": "https://10.0.0.1"}}, "red", "supabase_url_form"),
    Fault(
        "A server of one's own that staff have not approved",
        {"settings": {"url": "https://db.example.kz"}},
        "red",
        "supabase_host_unapproved",
    ),
    Fault(
        "The keys stand in each other's fields",
        {"settings": {"publishable_key": KEY.supabase_secret_key, "secret_key": KEY.supabase_publishable_key}},
        "red",
        "supabase_keys_swapped",
    ),
    Fault(
        "A secret key in the field of the publishable one",
        {"settings": {"publishable_key": KEY.supabase_secret_key}},
        "red",
        "supabase_public_key_is_secret",
    ),
    Fault(
        "A publishable key in the field of the secret one",
        {"settings": {"secret_key": KEY.supabase_publishable_key}},
        "red",
        "supabase_secret_key_is_public",
    ),
    Fault(
        "Something else as the publishable key",
        {"settings": {"publishable_key": "hello"}},
        "red",
        "supabase_public_key_form",
    ),
    Fault("Something else as the secret key", {"settings": {"secret_key": "hello"}}, "red", "supabase_secret_key_form"),
    Fault(
        "The old publishable key is of another project",
        {"settings": {"url": ELSEWHERE, "publishable_key": LEGACY["publishable_key"]}},
        "red",
        "supabase_public_key_elsewhere",
    ),
    Fault(
        "The old secret key is of another project",
        {"settings": {"url": ELSEWHERE, "secret_key": LEGACY["secret_key"]}},
        "red",
        "supabase_secret_key_elsewhere",
    ),
    Fault(
        "The old publishable key has expired",
        {"settings": {"publishable_key": legacy_key(KEY, "anon", expires=1)}},
        "red",
        "supabase_public_key_expired",
    ),
    Fault(
        "The old secret key has expired",
        {"settings": {"secret_key": legacy_key(KEY, "service_role", expires=1)}},
        "red",
        "supabase_secret_key_expired",
    ),
    Fault(
        "A publishable key that the project does not know",
        {"settings": {"publishable_key": "sb_publishable_unknown"}},
        "red",
        "supabase_public_key_refused",
    ),
    Fault(
        "A secret key that the project does not know",
        {"settings": {"secret_key": "sb_secret_unknown"}},
        "red",
        "supabase_secret_key_refused",
    ),
    Fault("A key with letters that no key has", {"settings": {"secret_key": "sb_secret_ключ"}}, "red", "key_malformed"),
]
"""Beside the orders: resolves, what the name of the host leads to. A fault lasts unless it says otherwise."""


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


def arrange(practice: Practice, fault: Fault, patch: pytest.MonkeyPatch) -> None:
    resolves = fault.cause.get("resolves")
    if typed := fault.typed:
        # another address needs the keys once more
        integrations.save("supabase", {**(KEYS if "url" in typed else {}), **typed}, actor="test")
    if resolves is not None:
        patch.setattr(socket, "getaddrinfo", resolving_to(resolves) if resolves else unknown_name)
    if order := fault.order:
        practice.control("supabase", **{"times": 1 if order["fault"] == "run_sql" else -1, **order})


def unknown_name(*_args: object, **_more: object) -> None:
    raise socket.gaierror(8, "unknown")


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_each_fault_has_its_colour_and_its_words(
    connected: Practice, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    arrange(connected, fault, monkeypatch)
    found = seen(connected, "supabase")
    assert_has(found, colour=fault.colour, code=fault.code)
    assert_plain(found.sentence)


def test_without_a_fault_it_is_green(connected: Practice) -> None:
    assert checks.run("supabase").colour == "green"


def test_rows_that_strangers_can_read_are_told_when_written(practice: Practice) -> None:
    assert seen(practice, "amocrm", SAMPLE)[0] == "green"
    practice.control("supabase", fault="isolation", value="rows", path="synkro_leads", times=-1)
    found = seen(practice, "amocrm", "write")
    assert_has(found, colour="red", code="supabase_public_data")
    assert "synkro_leads" in found.sentence
    work_on(practice.app, queue.CHECKS, burst=True)
    with tenant_scope(practice.tenant.id):
        config = integrations.find("supabase")
        assert config is not None
        assert_has(config, check_colour="red", check_code="supabase_public_data")
        assert not trials.is_proved("amocrm", config.saved_at)


def test_a_write_counts_where_nobody_can_ask_as_a_stranger(practice: Practice) -> None:
    assert seen(practice, "amocrm", SAMPLE)[0] == "green"
    with tenant_scope(practice.tenant.id):
        integrations.save("supabase", {"publishable_key": "sb_publishable_unknown"}, actor="test")
    assert_has(seen(practice, "amocrm", "write"), colour="green", code="write_ok")


def test_every_sentence_of_a_check_has_a_fault_that_leads_to_it() -> None:
    """But those that belong to a run or an act, and those of answers that no fault can order."""
    elsewhere = {
        "supabase_ok",
        "supabase_tables_ok",
        "supabase_row_refused",
        "supabase_tables_differ",
        "supabase_count_differs",
        "supabase_key_refused",
        "supabase_secret_needed",
        "supabase_forbidden",
        "supabase_not_found",
        "supabase_rejected",
    }
    assert set(Supabase.sentences) - elsewhere == {fault.code for fault in FAULTS if fault.code.startswith("supabase_")}
