from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import time_machine
from flask import Flask

from synkro import embedded
from synkro.crypto import Vault
from synkro.extensions import redis, remember, settings, vault
from synkro.services.operations import health
from synkro.services.operations.health import OpenToAll, WrongKey
from synkro.tenancy import db
from tests.conftest import ROOT, redis_away


def test_all_is_well(app: Flask) -> None:
    health.mark_tick()
    assert health.state() == {"database": "up", "redis": "up", "tick": "up"}


def test_a_tick_that_never_was_is_down(app: Flask) -> None:
    assert health.state()["tick"] == "down"


def test_a_tick_of_long_ago_is_late(app: Flask) -> None:
    health.mark_tick()
    late = timedelta(seconds=health.LATE_TICKS * settings().tick_seconds + 1)
    with time_machine.travel(datetime.now(UTC) + late):
        assert health.state()["tick"] == "late"


def test_a_redis_that_is_away_is_down(app: Flask) -> None:
    remember(app, settings(), vault(), redis_away())
    assert health.state()["redis"] == "down"


def test_a_database_that_does_not_answer_is_down(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "text", lambda _: db.text("select broken from nowhere"))
    health.mark_tick()
    assert health.state() == {"database": "down", "redis": "up", "tick": "up"}


def test_the_same_key_opens(app: Flask) -> None:
    health.verify_key()
    health.verify_key()


def test_another_key_is_noticed(app: Flask) -> None:
    health.verify_key()
    remember(app, settings(), Vault("ab" * 32), redis())
    with pytest.raises(WrongKey):
        health.verify_key()


def test_an_old_key_beside_the_new_one_opens(app: Flask) -> None:
    health.verify_key()
    remember(app, settings(), Vault("ab" * 32, (settings().encryption_key,)), redis())
    health.verify_key()


def test_ticks_are_judged_by_the_interval_in_force(app: Flask) -> None:
    health.mark_tick()
    remember(app, replace(settings(), tick_seconds=60), vault(), redis())
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=120)):
        assert health.state()["tick"] == "up"


def test_the_rights_of_the_app_leave_companies_apart(app: Flask) -> None:
    health.verify_rights()


WRONG_RIGHTS = {
    "inherits": (
        "grant synkro_system to synkro_app with inherit true",
        "grant synkro_system to synkro_app with inherit false",
    ),
    "inherits by a third role": (
        "create role third; grant synkro_system to third; grant third to synkro_app",
        "drop role third",
    ),
    "bypasses": ("alter role synkro_app bypassrls", "alter role synkro_app nobypassrls"),
    "superuser": ("alter role synkro_app superuser", "alter role synkro_app nosuperuser"),
}
"""How they are given, and taken back."""


@pytest.fixture(params=WRONG_RIGHTS)
def _wrong_rights(request: pytest.FixtureRequest, app: Flask, engines: embedded.Engines) -> Iterator[None]:
    given, back = WRONG_RIGHTS[request.param]
    with psycopg.connect(engines.superuser_url, dbname="synkro", autocommit=True) as connection:
        connection.execute(given)
        yield
        connection.execute(back)


@pytest.mark.usefixtures("_wrong_rights")
def test_rights_that_open_every_company_are_noticed() -> None:
    with pytest.raises(OpenToAll, match="DATABASE_URL"):
        health.verify_rights()


@pytest.mark.usefixtures("_wrong_rights")
def test_nothing_starts_with_rights_that_open_every_company(app: Flask) -> None:
    for words in (["worker", "--burst"], ["scheduler"], ["tick"]):
        done = app.test_cli_runner().invoke(args=words)
        assert done.exit_code == 1, words
        assert done.stdout == "", words
        assert "row-level security" in done.stderr, words


@pytest.mark.usefixtures("_wrong_rights")
def test_an_installation_with_such_rights_is_not_ready(app: Flask) -> None:
    assert app.test_client().get("/ready").status_code == 503


def test_the_printed_lines_give_the_right_rights(app: Flask, engines: embedded.Engines) -> None:
    printed = (ROOT / "docs/production.md").read_text().partition("```sql\n")[2].partition("create database")[0]
    with psycopg.connect(engines.superuser_url) as connection:
        connection.execute(printed.replace("synkro_", "printed_"))
        asked = "select pg_has_role('printed_app', 'printed_system', one) from unnest(array['usage', 'member']) one"
        assert connection.execute(asked).fetchall() == [(False,), (True,)]
        connection.rollback()
