"""The heads of the chains lie outside of the database, once a day and whole."""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from synkro.models import AuditLog, Tenant
from synkro.services import audit
from synkro.services.audit import heads, proof
from synkro.services.audit.heads import Head
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support.having import assert_has
from tests.support.runs_by_hand import at_once

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.fixture
def file(app: Flask) -> Iterator[Path]:
    """Empty, and left so: the databases of tests come and go."""
    path = heads.path()
    path.unlink(missing_ok=True)
    yield path
    path.unlink(missing_ok=True)


def noted(tenant: Tenant, count: int = 1) -> None:
    with tenant_scope(tenant.id):
        for _ in range(count):
            audit.record("user_created")
        db.session.commit()


def noted_by_staff() -> None:
    with system_scope("test: an act of staff"):
        audit.record("tenant_erased")
        db.session.commit()


def lines(file: Path) -> list[tuple[str, int]]:
    return [(one["chain"], one["seq"]) for one in map(json.loads, file.read_text().splitlines())]


def test_a_head_is_the_last_link_of_its_chain(tenant: Tenant, other_tenant: Tenant) -> None:
    noted(tenant, 3)
    noted(other_tenant, 2)
    found = {head.chain: (head.seq, head.mac) for head in heads.current()}
    with system_scope("test: look at the audit log"):
        rows = db.session.query(AuditLog).order_by(AuditLog.seq)
        assert found == {row.tenant_id: (row.seq, row.mac) for row in rows}


def test_a_day_has_one_line_for_a_chain(tenant: Tenant, other_tenant: Tenant, file: Path) -> None:
    noted(tenant, 2)
    noted(other_tenant)
    heads.anchor()
    noted(tenant)
    heads.anchor()
    assert sorted(lines(file)) == sorted([(str(tenant.id), 2), (str(other_tenant.id), 1)])


def test_the_next_day_has_its_own(tenant: Tenant, file: Path) -> None:
    noted(tenant)
    for day in range(3):
        with time_machine.travel(NOW + timedelta(days=day)):
            heads.anchor()
    assert lines(file) == [(str(tenant.id), 1)] * 3


def test_a_clock_that_lags_behind_does_not_write_again(tenant: Tenant, file: Path) -> None:
    noted(tenant)
    for day in (1, 0, 1, 0):
        with time_machine.travel(NOW + timedelta(days=day)):
            heads.anchor()
    assert len(lines(file)) == 1


def test_ticks_at_once_write_once(app: Flask, tenant: Tenant, file: Path) -> None:
    noted(tenant)
    at_once(app, tenant, 6, lambda _: heads.anchor())
    assert len(lines(file)) == 1


def test_the_file_is_for_its_owner_only(tenant: Tenant, file: Path) -> None:
    noted(tenant)
    heads.anchor()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_was_kept_is_what_is_there(tenant: Tenant, file: Path) -> None:
    noted(tenant, 2)
    heads.anchor()
    noted(tenant, 2)
    kept = heads.read(file)
    assert_has(kept, count=1, unreadable=0)
    assert proof.verify(kept).in_order is True


def test_after_a_torn_line_a_new_one_begins(tenant: Tenant, file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text('{"at": "2026-11-17T00:00:00+00:00", "cha')
    noted(tenant)
    heads.anchor()
    kept = heads.read(file)
    assert_has(kept, count=1, unreadable=1)


@pytest.mark.parametrize(
    "line",
    ["{}", "[]", "7", "null", '{"chain": 1, "seq": 1, "mac": ""}', "\ufffd", '{"chain": "x", "seq": 1, "mac": ""}'],
)
def test_a_line_that_is_no_head_is_counted(tmp_path: Path, app: Flask, line: str) -> None:
    file = tmp_path / "kept.jsonl"
    file.write_text(f"\n{line}\n")
    kept = heads.read(file)
    assert_has(kept, count=0, unreadable=1)


def test_a_file_that_is_not_there_keeps_nothing(tmp_path: Path) -> None:
    assert heads.read(tmp_path / "nothing").count == 0


def test_a_disk_that_refuses_is_tried_again(tenant: Tenant, file: Path, caplog: pytest.LogCaptureFixture) -> None:
    noted(tenant)
    file.mkdir(parents=True)
    heads.anchor()
    file.rmdir()
    assert [record.message for record in caplog.records] == ["audit heads not kept"]
    heads.anchor()
    assert len(lines(file)) == 1


def test_the_log_tells_the_head_of_staff_and_a_hash_of_all(
    tenant: Tenant, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    noted(tenant)
    noted_by_staff()
    found = heads.current()
    staff = next(head for head in found if head.chain.int == 0)
    with caplog.at_level(logging.INFO, logger=heads.__name__):
        heads.anchor()
    told = [getattr(record, "fields", None) for record in caplog.records]
    assert told == [{"seq": 1, "mac": staff.mac, "chains": 2, "sha256": heads.fingerprint(found)}]


def test_the_hash_of_all_heads_does_not_hang_on_their_order(tenant: Tenant, other_tenant: Tenant) -> None:
    one, two = Head(tenant.id, 1, "a"), Head(other_tenant.id, 2, "b")
    assert heads.fingerprint([one, two]) == heads.fingerprint([two, one])
    assert heads.fingerprint([one, two]) != heads.fingerprint([one, Head(other_tenant.id, 2, "c")])
