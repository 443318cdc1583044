"""Changing the sealing key: what moves, what stays as it is, what is counted, and who is not disturbed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from sqlalchemy import Connection, select, text

from synkro import embedded
from synkro.crypto import Vault
from synkro.extensions import settings, vault
from synkro.models import AuditLog, IntegrationConfig, Tenant
from synkro.services.operations import health, keys
from synkro.tenancy import db, system_scope
from tests.support.having import assert_has
from tests.support.rotation import NEW, configure, quiet, rotate, save, saved, unopened

SECRETS, WORD = "integration_configs.secrets", "system_marks.value"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "PATIENCE", 0.0)


@pytest.fixture
def old(app: Flask, tenant: Tenant) -> str:
    """The key with which everything is sealed before the change."""
    health.verify_key()
    save(tenant, "first")
    return settings().encryption_key


def stored(engines: embedded.Engines, table: str) -> list[Any]:
    with psycopg.connect(engines.superuser_url, dbname="synkro") as connection:
        query = sql.SQL("select row_to_json(t)::text from {} t order by 1").format(sql.Identifier(table))
        return connection.execute(query).fetchall()


def test_a_rehearsal_changes_nothing(app: Flask, old: str, engines: embedded.Engines) -> None:
    tables = ("integration_configs", "system_marks", "audit_log")
    before = [stored(engines, table) for table in tables]
    configure(app, NEW, old)
    tried = keys.rehearse(quiet)
    assert [stored(engines, table) for table in tables] == before
    assert tried == list(rotate().values())


def test_a_rotation_is_no_change_of_the_settings(app: Flask, old: str) -> None:
    with system_scope("test"):
        row = db.session.execute(select(IntegrationConfig)).scalar_one()
        row.check_colour, row.check_code, row.checked_at = "green", "fine", row.updated_at
        db.session.commit()
    before = the_connection()
    configure(app, NEW, old)
    rotate()
    after = the_connection()
    assert after.pop("secrets") != before.pop("secrets")
    assert after == before


def the_connection() -> dict[str, Any]:
    with system_scope("test"):
        return dict(db.session.execute(select(IntegrationConfig.__table__)).mappings().one())


def test_it_is_written_down_once(app: Flask, old: str) -> None:
    configure(app, NEW, old)
    rotate()
    with system_scope("test"):
        row = db.session.execute(select(AuditLog).where(AuditLog.act == "keys_rotated")).scalar_one()
    assert_has(row, tenant_id=None, actor="test", object_id=vault().current)
    assert row.details == {"moved": 2, "unopened": 0, "held": 0}


def damage(**fields: Any) -> None:
    """Change the sealed fields of the only connection by hand."""
    with system_scope("test"):
        row = db.session.execute(select(IntegrationConfig)).scalar_one()
        row.secrets = {**row.secrets, **fields}
        db.session.commit()


@pytest.mark.parametrize("value", ["", "v1.", "v1.00000000.AAAA", "text", "ё", None, 7, ["v1"], {"v1": 1}])
def test_what_does_not_open_is_counted_and_kept(app: Flask, old: str, value: Any) -> None:
    damage(broken=value)
    configure(app, NEW, old)
    assert keys.rehearse(quiet)[0].unopened == 1
    done = rotate()[SECRETS]
    assert_has(done, moved=1, unopened=1, held=0)
    kept = the_connection()["secrets"]
    assert kept["broken"] == value
    assert kept["api_key"].split(".")[1] == vault().current
    again = rotate()[SECRETS]
    assert_has(again, moved=0, unopened=1)
    assert unopened() == 1


def test_a_copied_value_does_not_open_in_its_new_place(app: Flask, old: str, other_tenant: Tenant) -> None:
    """Sealed anew for the place where it lies, it would."""
    copied = the_connection()["secrets"]
    with system_scope("test"):
        db.session.add(IntegrationConfig(tenant_id=other_tenant.id, kind="radist", settings={}, secrets=copied))
        db.session.commit()
    configure(app, NEW, old)
    done = rotate()[SECRETS]
    assert_has(done, moved=1, unopened=1)


def test_a_forgotten_key_loses_nothing(app: Flask, tenant: Tenant, old: str) -> None:
    configure(app, NEW)
    assert {name: one.unopened for name, one in rotate().items() if one.stale} == {SECRETS: 1, WORD: 1}
    configure(app, NEW, old)
    assert {name: one.moved for name, one in rotate().items() if one.stale} == {SECRETS: 1, WORD: 1}
    assert saved(tenant) == {"api_key": "first"}


def test_a_process_with_the_old_key_opens_what_was_moved(app: Flask, tenant: Tenant, old: str) -> None:
    configure(app, NEW, old)
    rotate()
    configure(app, old, NEW)
    assert saved(tenant) == {"api_key": "first"}


@pytest.fixture
def holder(old: str, tenant: Tenant, other_tenant: Tenant) -> Iterator[Connection]:
    """A connection that has a row of the first company in its hands."""
    save(other_tenant, "other")
    with db.engine.connect() as connection:
        connection.execute(text("set local role synkro_system"))
        statement = "select secrets from integration_configs where tenant_id = :id for update"
        connection.execute(text(statement), {"id": tenant.id})
        yield connection


def test_a_held_row_is_passed_by_and_the_old_key_still_needed(
    app: Flask, holder: Connection, tenant: Tenant, other_tenant: Tenant, old: str
) -> None:
    configure(app, NEW, old)
    done = rotate()
    assert_has(done[SECRETS], moved=1, held=1)
    assert WORD not in done
    holder.rollback()
    done = rotate()
    assert_has(done[SECRETS], moved=1, held=0)
    assert done[WORD].moved == 1
    assert saved(tenant) == {"api_key": "first"}
    assert saved(other_tenant) == {"api_key": "other"}


def test_what_is_saved_meanwhile_stays(
    app: Flask,
    holder: Connection,
    tenant: Tenant,
    other_tenant: Tenant,
    old: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Saved by a process that still seals with the old key."""
    statement = text("update integration_configs set secrets = :fresh where tenant_id = :id")
    second = Vault(old).seal("second", f"secret|{tenant.id}|radist|api_key")

    def save_and_let_go(_seconds: float) -> None:
        holder.execute(statement, {"fresh": psycopg.types.json.Jsonb({"api_key": second}), "id": tenant.id})
        holder.commit()

    damage_other(other_tenant)
    configure(app, NEW, old)
    monkeypatch.setattr(keys, "PATIENCE", 10.0)
    monkeypatch.setattr(keys.time, "sleep", save_and_let_go)
    done = rotate()[SECRETS]
    assert_has(done, moved=2, unopened=1, held=0)
    configure(app, NEW)
    assert saved(tenant) == {"api_key": "second"}


def damage_other(other_tenant: Tenant) -> None:
    """One more value that does not open, met again in each pass and counted once."""
    with system_scope("test"):
        row = db.session.execute(select(IntegrationConfig).filter_by(tenant_id=other_tenant.id)).scalar_one()
        row.secrets = {**row.secrets, "broken": "v1."}
        db.session.commit()
