from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from synkro.crypto import Vault
from synkro.extensions import redis, remember, settings, vault
from synkro.services.operations import health
from synkro.services.operations.health import WrongKey
from synkro.tenancy import db
from tests.conftest import redis_away


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


def test_the_schema_is_the_one_of_this_code(app: Flask) -> None:
    assert health.is_migrated()


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
