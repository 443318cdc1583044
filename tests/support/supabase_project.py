"""A project of Supabase to talk to: the stand-in, or the real PostgREST."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from synkro.integrations.errors import Gone
from synkro.integrations.http.client import HttpClient
from synkro.integrations.supabase.client import Supabase, schema_sql
from synkro.sandbox.keys import Keys
from synkro.sandbox.supabase.app import create_app
from tests.support.emulators import Counted, Emulator, Start
from tests.support.postgrest import Postgrest, postgrest_or_skip

KEY = Keys()
VAR = Path(__file__).parents[2] / "var"
AT = "2026-03-17T12:00:00.123456+05:00"


@dataclass
class Project:
    """A project to talk to: the stand-in or the real PostgREST. emulator: only the stand-in can be told to fail."""

    url: str
    run_sql: Callable[[str], None]
    emulator: Emulator | None = None

    def show_to_strangers(self, table: str) -> None:
        if self.emulator:
            self.emulator.fault("isolation", path=table, value="rows", times=-1)
            return
        self.run_sql(f"alter table public.{table} disable row level security; grant select on public.{table} to anon;")

    def open(self, **settings: str) -> Supabase:
        given = {
            "url": self.url,
            "publishable_key": KEY.supabase_publishable_key,
            "secret_key": KEY.supabase_secret_key,
        }
        http_client = HttpClient(Counted(), allow_hosts=frozenset({self.url.partition("//")[2]}))
        made = Supabase({**given, **settings}, http_client)
        made.reload_seconds = 0.01
        return made


@pytest.fixture(scope="session")
def postgrest() -> Path:
    return postgrest_or_skip(VAR)


@pytest.fixture
def stand_in(start: Start) -> Project:
    emulator = start(create_app(KEY))
    return Project(emulator.url, lambda text: emulator.fault("run_sql", value=text), emulator)


@pytest.fixture(params=["stand-in", "postgrest"])
def bare(request: pytest.FixtureRequest) -> Iterator[Project]:
    """A project in which the SQL has not been run."""
    if request.param == "stand-in":
        yield request.getfixturevalue("stand_in")
        return
    real = Postgrest(request.getfixturevalue("postgrest"), request.getfixturevalue("postgres_superuser_url"))
    try:
        yield Project(real.url, real.run_sql)
    finally:
        real.stop()


@pytest.fixture
def project(bare: Project) -> Project:
    bare.run_sql(schema_sql())
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        # The API learns of new tables a moment after the database: a table is read at once, written to only then
        with contextlib.suppress(Gone):
            bare.open().write_probe()
            return bare
    raise AssertionError("the tables did not appear")


@pytest.fixture
def failing(stand_in: Project) -> tuple[Supabase, Emulator]:
    """A connection to the stand-in, and its switchboard."""
    stand_in.run_sql(schema_sql())
    assert stand_in.emulator
    return stand_in.open(), stand_in.emulator


def lead(number: int, **changes: Any) -> dict[str, Any]:
    row = {"account_id": 1, "lead_id": number, "name": f"Lead {number}", "pipeline_id": 10, "status_id": 142}
    return {**row, "created_at": AT, "updated_at": AT, "raw": {"id": number}, **changes}


def message(connection: int, number: str, **changes: Any) -> dict[str, Any]:
    row = {"connection_id": connection, "message_id": number, "chat_id": 7, "position": 0, "sent_at": AT}
    return {**row, "direction": "in", "kind": "text", "body": "здравствуйте", **changes}


def writes(emulator: Emulator) -> list[dict[str, Any]]:
    return [entry for entry in emulator.requests() if entry["method"] == "POST"]
