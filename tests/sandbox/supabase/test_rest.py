"""The stand-in of Supabase: what parity with a real PostgREST cannot show, the gateway, the SQL editor, the faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from synkro.sandbox.keys import Keys
from synkro.sandbox.server import Server
from synkro.sandbox.supabase import app as supabase
from synkro.sandbox.supabase.jwt import legacy_key
from tests.support.having import assert_entries

KEYS = Keys()
SECRET = {"apikey": KEYS.supabase_secret_key}
PUBLIC = {"apikey": KEYS.supabase_publishable_key}
SCHEMA = Path(__file__).parents[3] / "synkro" / "integrations" / "supabase" / "schema.sql"
SMALL = """
-- A block; with a semicolon in a comment, and 'quotes'.
create table if not exists public.notes (
  id bigint not null,
  body text not null default 'a;b, (c)',
  weight numeric(6, 2) default 1.5,
  created_at timestamp with time zone not null default now(),
  primary key (id)
);
grant select, insert, update, delete on public.notes to service_role;
"""
Get = Callable[..., requests.Response]


@pytest.fixture
def url() -> Iterator[str]:
    server = Server(supabase.create_app(KEYS))
    yield server.url
    server.stop()


@pytest.fixture
def notes(url: str) -> str:
    """The address of a project with the table `notes`."""
    assert run_sql(url, SMALL).ok
    return url


def run_sql(url: str, text: str) -> requests.Response:
    return order(url, "run_sql", value=text)


def order(url: str, fault: str, **extra: Any) -> requests.Response:
    return requests.post(f"{url}/__control", json={"fault": fault, **extra}, timeout=60)


def get(url: str, path: str, headers: dict[str, str] | None = None) -> requests.Response:
    return requests.get(url + path, headers=SECRET if headers is None else headers, timeout=60)


def post(url: str, rows: Any, query: str = "", prefer: str = "return=minimal") -> requests.Response:
    return requests.post(f"{url}/rest/v1/notes{query}", json=rows, headers={**SECRET, "Prefer": prefer}, timeout=60)


class TestGateway:
    @pytest.mark.parametrize(
        ("headers", "message"),
        [
            ({}, "No API key found in request"),
            ({"apikey": "sb_secret_of_another_project"}, "Unregistered API key"),
            ({"apikey": "a.b.c"}, "Invalid API key"),
            ({**SECRET, "User-Agent": "Mozilla/5.0"}, "Forbidden use of secret API key in browser"),
        ],
    )
    def test_refuses_in_a_body_without_a_code(self, url: str, headers: dict[str, str], message: str) -> None:
        answer = get(url, "/rest/v1/synkro_meta", headers)
        assert answer.status_code == 401
        assert answer.json()["message"] == message
        assert "code" not in answer.json()

    @pytest.mark.parametrize("path", ["/auth/v1/settings", "/auth/v1/health"])
    def test_auth_service_answers_to_either_key(self, url: str, path: str) -> None:
        assert [get(url, path, key).status_code for key in (SECRET, PUBLIC)] == [200, 200]

    @pytest.mark.parametrize("key", [PUBLIC, {"apikey": legacy_key(KEYS, "anon")}])
    def test_root_is_closed_to_public_keys(self, url: str, key: dict[str, str]) -> None:
        assert get(url, "/rest/v1/", key).status_code == 401

    def test_key_may_come_in_the_query(self, notes: str) -> None:
        assert get(notes, f"/rest/v1/notes?apikey={KEYS.supabase_secret_key}", {}).status_code == 200

    def test_legacy_service_key_in_both_headers_is_the_service_role(self, notes: str) -> None:
        key = legacy_key(KEYS, "service_role")
        assert get(notes, "/rest/v1/notes", {"apikey": key, "Authorization": f"Bearer {key}"}).status_code == 200

    def test_legacy_service_key_alone_runs_as_anon(self, notes: str) -> None:
        answer = get(notes, "/rest/v1/notes", {"apikey": legacy_key(KEYS, "service_role")})
        assert answer.status_code == 401
        assert answer.json()["code"] == "42501"

    @pytest.mark.parametrize(
        ("token", "code"),
        [("no-jwt", "PGRST301"), ("a.b.c", "PGRST301"), (legacy_key(KEYS, "service_role", expires=1), "PGRST303")],
    )
    def test_bad_bearer_token_is_refused(self, notes: str, token: str, code: str) -> None:
        answer = get(notes, "/rest/v1/notes", {**SECRET, "Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert answer.json()["code"] == code

    def test_legacy_keys_can_be_disabled(self, url: str) -> None:
        order(url, "legacy_disabled")
        answer = get(url, "/auth/v1/settings", {"apikey": legacy_key(KEYS, "anon")})
        assert answer.status_code == 401
        assert answer.json()["message"] == "Legacy API keys are disabled"

    def test_url_over_the_limit_gets_a_bare_520(self, notes: str) -> None:
        answer = get(notes, f"/rest/v1/notes?id=in.({','.join(['1000000'] * 2100)})")
        assert answer.status_code == 520
        assert answer.headers["Content-Type"] == "text/html"


class TestSqlEditor:
    def test_without_the_block_there_is_no_table(self, url: str) -> None:
        answer = get(url, "/rest/v1/synkro_meta?select=value")
        assert answer.status_code == 404
        assert answer.json()["code"] == "PGRST205"

    def test_a_similar_table_is_hinted_at(self, notes: str) -> None:
        assert "public.notes" in get(notes, "/rest/v1/note").json()["hint"]

    def test_defaults_apply_and_commas_in_them_are_no_columns(self, notes: str) -> None:
        post(notes, {"id": 1})
        row = get(notes, "/__rows/notes").json()[0]
        assert_entries(row, body="a;b, (c)", weight=1.5)

    def test_running_the_block_again_keeps_the_rows(self, notes: str) -> None:
        post(notes, {"id": 1})
        run_sql(notes, SMALL)
        assert len(get(notes, "/__rows/notes").json()) == 1

    def test_column_can_be_added_once(self, notes: str) -> None:
        post(notes, {"id": 1})
        for _ in range(2):
            assert run_sql(notes, "alter table public.notes add column if not exists stars int default 3;").ok
        assert get(notes, "/rest/v1/notes?select=id,stars").json() == [{"id": 1, "stars": 3}]

    @pytest.mark.parametrize(
        "text", ["drop table public.notes;", "create table public.odd (at point, primary key (at));"]
    )
    def test_what_it_does_not_know_it_says(self, url: str, text: str) -> None:
        answer = run_sql(url, text)
        assert answer.status_code == 400
        assert "does not know" in answer.text

    def test_products_own_block_opens_its_tables_to_the_secret_key(self, url: str) -> None:
        assert run_sql(url, SCHEMA.read_text()).ok
        tables = get(url, "/rest/v1/").json()["definitions"]
        assert set(tables) >= {"synkro_meta", "synkro_leads", "synkro_messages", "synkro_reports"}

    def test_products_own_block_closes_its_tables_to_the_public_key(self, url: str) -> None:
        run_sql(url, SCHEMA.read_text())
        assert get(url, "/rest/v1/synkro_leads?limit=1", PUBLIC).json()["code"] == "42501"


class TestFaults:
    @pytest.mark.parametrize("status", [402, 540, 544])
    def test_edge_stops_every_call(self, notes: str, status: int) -> None:
        order(notes, str(status), times=2)
        statuses = [get(notes, path).status_code for path in ("/auth/v1/settings", "/rest/v1/notes", "/rest/v1/notes")]
        assert statuses == [status, status, 200]

    @pytest.mark.parametrize(
        ("code", "status"), [("57014", 500), ("40P01", 500), ("25006", 405), ("PGRST002", 503), ("PGRST003", 504)]
    )
    def test_database_fails_and_nothing_is_written(self, notes: str, code: str, status: int) -> None:
        order(notes, code)
        answer = post(notes, {"id": 1})
        assert answer.status_code == status
        assert answer.json()["code"] == code
        assert get(notes, "/__rows/notes").json() == []

    def test_stale_cache_knows_no_table(self, notes: str) -> None:
        order(notes, "stale_cache")
        assert get(notes, "/rest/v1/notes").json()["code"] == "PGRST205"

    def test_stale_cache_misses_a_column_in_writes_only(self, notes: str) -> None:
        order(notes, "stale_cache", value="weight", times=2)
        assert get(notes, "/rest/v1/notes?select=weight").status_code == 200
        assert post(notes, {"id": 1}).json()["code"] == "PGRST204"

    def test_without_a_grant_the_hint_names_the_privilege(self, notes: str) -> None:
        order(notes, "no_grant")
        answer = get(notes, "/rest/v1/notes")
        assert answer.status_code == 403
        assert answer.json()["code"] == "42501"
        assert "GRANT SELECT ON public.notes TO service_role" in answer.json()["hint"]

    def test_read_only_key_reads_but_does_not_write(self, notes: str) -> None:
        order(notes, "read_only_key", times=2)
        assert get(notes, "/rest/v1/notes").status_code == 200
        assert post(notes, {"id": 1}).json()["code"] == "42501"

    @pytest.mark.parametrize(("value", "seen"), [("rows", 1), ("empty", 0)])
    def test_isolation_can_be_broken(self, notes: str, value: str, seen: int) -> None:
        post(notes, {"id": 1})
        order(notes, "isolation", value=value)
        assert len(get(notes, "/rest/v1/notes", PUBLIC).json()) == seen


class TestRows:
    def test_a_refused_batch_leaves_no_trace(self, notes: str) -> None:
        post(notes, {"id": 3})
        assert post(notes, [{"id": 1}, {"id": 2}, {"id": 3}]).status_code == 409
        assert len(get(notes, "/__rows/notes").json()) == 1

    def test_column_absent_from_an_upsert_keeps_its_value(self, notes: str) -> None:
        post(notes, {"id": 1, "body": "first", "weight": 2})
        post(notes, [{"id": 1, "weight": 3}], "?on_conflict=id", "resolution=merge-duplicates")
        row = get(notes, "/__rows/notes").json()[0]
        assert_entries(row, body="first", weight=3)

    def test_a_moved_key_is_found_under_its_new_value_only(self, notes: str) -> None:
        post(notes, {"id": 1})
        requests.patch(f"{notes}/rest/v1/notes?id=eq.1", json={"id": 2}, headers=SECRET, timeout=60)
        assert post(notes, {"id": 1}).status_code == 201
        assert post(notes, {"id": 2}).status_code == 409

    def test_what_it_cannot_do_it_says(self, notes: str) -> None:
        assert get(notes, "/rest/v1/notes?select=body->>x").status_code == 501

    def test_errors_carry_the_code_in_a_header(self, notes: str) -> None:
        assert get(notes, "/rest/v1/none").headers["Proxy-Status"] == "PostgREST; error=PGRST205"
