"""flask audit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from flask import Flask

from synkro.extensions import redis, remember, settings, vault
from synkro.models import Tenant
from synkro.services import audit
from synkro.services.audit import heads
from synkro.tenancy import db, tenant_scope
from tests.cli.conftest import Cli
from tests.support.having import assert_entries, assert_has


@pytest.fixture(autouse=True)
def no_heads_of_other_tests(app: Flask) -> Iterator[None]:
    heads.path().unlink(missing_ok=True)
    yield
    heads.path().unlink(missing_ok=True)


@pytest.fixture
def noted(tenant: Tenant) -> Tenant:
    with tenant_scope(tenant.id):
        for _ in range(3):
            audit.record("user_created")
        db.session.commit()
    return tenant


def forge(superuser_url: str, statement: str) -> None:
    with psycopg.connect(superuser_url, dbname="synkro", autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(statement)


def test_what_is_in_order_is_told_with_its_counts(cli: Cli, noted: Tenant) -> None:
    done = cli("audit", "verify")
    assert_has(done, exit_code=0, stdout="")
    assert "chains 1, rows 3" in done.stderr
    assert "no head was kept" in done.stderr


def test_a_fault_is_named_with_its_place(cli: Cli, noted: Tenant, postgres_superuser_url: str) -> None:
    forge(postgres_superuser_url, "update audit_log set actor = 'x' where seq = 2")
    done = cli("audit", "verify")
    assert done.exit_code == 1
    assert f"company {noted.id}: link 2 was changed after it was written (edited)" in done.stderr


def test_programs_get_the_finding_as_json(cli: Cli, noted: Tenant, postgres_superuser_url: str) -> None:
    forge(postgres_superuser_url, "delete from audit_log where seq = 2")
    done = cli("audit", "verify", "--json")
    said = json.loads(done.stdout)
    chain = {"chain": str(noted.id), "rows": 2, "emptied": 0, "finding": {"seq": 2, "code": "missing"}}
    assert done.exit_code == 1
    assert_entries(said, ok=False, wrong_key=False, chains=[chain])


def test_a_wrong_key_is_said_plainly(app: Flask, cli: Cli, noted: Tenant) -> None:
    remember(app, replace(settings(), audit_key="x" * 40), vault(), redis())
    done = cli("audit", "verify")
    assert done.exit_code == 1
    assert "AUDIT_KEY: it is not the key that the log was written with" in done.stderr


def test_a_cut_tail_is_found_by_what_the_tick_kept(cli: Cli, noted: Tenant, postgres_superuser_url: str) -> None:
    assert cli("tick").exit_code == 0
    forge(postgres_superuser_url, "delete from audit_log where seq = 3")
    done = cli("audit", "verify")
    assert done.exit_code == 1
    assert "(cut)" in done.stderr


def test_printed_heads_serve_elsewhere(cli: Cli, noted: Tenant, tmp_path: Path, postgres_superuser_url: str) -> None:
    printed = cli("audit", "heads")
    file = tmp_path / "heads.jsonl"
    file.write_text(printed.stdout)
    assert cli("audit", "verify", "--heads", file).exit_code == 0
    forge(postgres_superuser_url, "delete from audit_log where seq = 3")
    done = cli("audit", "verify", "--heads", file)
    assert printed.exit_code == 0
    assert done.exit_code == 1
    assert "(cut)" in done.stderr


def test_a_file_without_heads_is_wrong_use(cli: Cli, noted: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "other.txt"
    file.write_bytes(b"\xff\x00 no heads\n")
    assert cli("audit", "verify", "--heads", file).exit_code == 2
