"""flask keys check, flask keys rotate: what an operator reads, and the exit codes."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, text

from synkro.crypto import Vault
from synkro.extensions import settings, vault
from synkro.models import IntegrationConfig, Tenant
from synkro.services.operations import health, keys
from synkro.tenancy import db, system_scope
from tests.cli.conftest import Cli
from tests.support.having import assert_has
from tests.support.rotation import NEW, configure, save, saved

NEW_ID = Vault(NEW).current


@pytest.fixture
def old(app: Flask, tenant: Tenant) -> str:
    """The key with which everything is sealed before the change."""
    health.verify_key()
    save(tenant, "the key of the company")
    return settings().encryption_key


def name_another_key() -> None:
    with system_scope("test"):
        row = db.session.execute(select(IntegrationConfig)).scalar_one()
        row.secrets = {**row.secrets, "lost": "v1.00000000.AAAA", "hand": "v1.\x1b[31m.AAAA"}
        db.session.commit()


def test_check_counts_by_key(cli: Cli, old: str) -> None:
    done = cli("keys", "check")
    own = vault().current
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        f"secrets of connections: 1 with {own} (current)",
        f"second factors: 0 with {own} (current)",
        f"letters: 0 with {own} (current)",
        f"pages between steps: 0 with {own} (current)",
        f"results of trials: 0 with {own} (current)",
        f"word that tells the key: 1 with {own} (current)",
        "opened 2, not opened 0",
    ]


def test_check_shows_no_value(cli: Cli, old: str) -> None:
    done = cli("keys", "check")
    assert "the key of" not in done.output
    assert old not in done.output


def test_check_tells_that_an_old_key_is_needed(cli: Cli, app: Flask, old: str) -> None:
    own = vault().current
    configure(app, NEW, old)
    done = cli("keys", "check")
    assert done.exit_code == 0
    assert f"secrets of connections: 0 with {NEW_ID} (current), 1 with {own}" in done.stderr
    assert f"key {own} is needed: run keys rotate" in done.stderr


def test_check_tells_that_an_old_key_may_go(cli: Cli, app: Flask, old: str) -> None:
    own = vault().current
    configure(app, NEW, old)
    assert cli("keys", "rotate").exit_code == 0
    done = cli("keys", "check")
    assert done.exit_code == 0
    assert f"key {own} is not needed, nothing is sealed with it: it may be removed" in done.stderr


def test_check_fails_where_something_does_not_open(cli: Cli, old: str) -> None:
    name_another_key()
    done = cli("keys", "check")
    first = f"1 with {vault().current} (current), 1 not opened that name 00000000, 1 not opened that name no key"
    assert done.exit_code == 1
    assert first in done.stderr
    assert "\x1b" not in done.stderr


def test_check_keeps_a_key_that_unreadable_values_name(cli: Cli, app: Flask, old: str) -> None:
    own = vault().current
    with system_scope("test"):
        row = db.session.execute(select(IntegrationConfig)).scalar_one()
        row.secrets = {**row.secrets, "moved": row.secrets["api_key"]}
        db.session.commit()
    configure(app, NEW, old)
    assert cli("keys", "rotate").exit_code == 1
    done = cli("keys", "check")
    assert done.exit_code == 1
    assert f"key {own} opens nothing, but values that do not open name it" in done.stderr


def test_rotate_tells_what_it_does(cli: Cli, app: Flask, tenant: Tenant, old: str) -> None:
    configure(app, NEW, old)
    done = cli("keys", "rotate")
    assert_has(done, exit_code=0, stdout="")
    assert "secrets of connections: 1 of 1\n" in done.stderr
    assert "secrets of connections: migrated 1, already current 0, not opened 0\n" in done.stderr
    assert "word that tells the key: migrated 1, already current 0, not opened 0\n" in done.stderr
    again = cli("keys", "rotate")
    assert "secrets of connections: migrated 0, already current 1, not opened 0\n" in again.stderr
    assert saved(tenant) == {"api_key": "the key of the company"}


def test_dry_run_tells_the_same_and_changes_nothing(cli: Cli, app: Flask, old: str) -> None:
    configure(app, NEW, old)
    tried = cli("keys", "rotate", "--dry-run")
    with system_scope("test"):
        assert db.session.execute(text("select count(*) from audit_log where act = 'keys_rotated'")).scalar_one() == 0
    done = cli("keys", "rotate")
    assert_has(tried, exit_code=done.exit_code, stderr=done.stderr)


@pytest.mark.parametrize("words", [("rotate", "--dry-run"), ("rotate",)])
def test_rotate_fails_where_something_does_not_open(cli: Cli, app: Flask, old: str, words: tuple[str, ...]) -> None:
    name_another_key()
    configure(app, NEW, old)
    done = cli("keys", *words)
    assert done.exit_code == 1
    assert "migrated 1, already current 0, not opened 2" in done.stderr


def test_rotate_fails_where_a_row_is_held(cli: Cli, app: Flask, old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "PATIENCE", 0.0)
    configure(app, NEW, old)
    with db.engine.connect() as connection:
        connection.execute(text("set local role synkro_system"))
        connection.execute(text("select 1 from integration_configs for update"))
        done = cli("keys", "rotate")
    assert done.exit_code == 1
    assert "not opened 0, held 1\n" in done.stderr
    assert "run this again" in done.stderr


def test_the_key_that_was_taken_away_too_early_is_missed_at_the_start(cli: Cli, app: Flask, old: str) -> None:
    configure(app, NEW)
    done = cli("worker", "--burst")
    assert done.exit_code == 1
    assert "FIELD_ENCRYPTION_KEY" in done.stderr
