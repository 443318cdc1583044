"""The audit: written with the act or not at all, chained, and closed to changes."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from synkro.models import AuditLog, Tenant
from synkro.services import audit
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support.runs_by_hand import at_once


def noted(tenant: Tenant, *acts: str) -> None:
    with tenant_scope(tenant.id):
        for act in acts:
            audit.record(act, "thing", 1, count=2)
        db.session.commit()


def rows() -> list[AuditLog]:
    with system_scope("test: look at the audit log"):
        return list(db.session.execute(select(AuditLog).order_by(AuditLog.tenant_id, AuditLog.seq)).scalars())


def test_each_company_has_a_chain_of_its_own(tenant: Tenant, other_tenant: Tenant) -> None:
    noted(tenant, "a", "b")
    noted(other_tenant, "c")
    noted(tenant, "d")
    found = {(row.tenant_id, row.act): row.seq for row in rows()}
    assert found == {(tenant.id, "a"): 1, (tenant.id, "b"): 2, (tenant.id, "d"): 3, (other_tenant.id, "c"): 1}


def test_every_link_holds_the_one_before(tenant: Tenant) -> None:
    noted(tenant, "a", "b", "c")
    previous = ""
    for row in rows():
        assert row.digest == audit.digest_of(row)
        assert row.mac == audit.mac_of(row, previous)
        previous = row.mac or ""


def test_acts_at_the_same_moment_stand_one_after_the_other(app: Flask, tenant: Tenant) -> None:
    def act(n: int) -> None:
        audit.record(f"act {n}")
        db.session.commit()

    at_once(app, tenant, 12, act)
    assert [row.seq for row in rows()] == list(range(1, 13))


def test_an_act_that_did_not_happen_is_not_written_down(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        db.session.execute(text("select 1"))
        audit.record("undone")
        db.session.rollback()
        audit.record("done")
        db.session.commit()
    assert [row.act for row in rows()] == ["done"]


@pytest.mark.parametrize(
    "statement",
    [
        "delete from audit_log",
        "update audit_log set act = 'x'",
        "update audit_log set details = '{}', actor = '', object_id = '', address = '', request_id = ''",
        (
            "insert into audit_log (at, actor, act, object_type, object_id, address, request_id, details)"
            " values (now(), '', 'x', '', '', '', '', '{}')"
        ),
    ],
)
def test_nobody_changes_what_was_written(tenant: Tenant, statement: str) -> None:
    noted(tenant, "a")
    with system_scope("test: try to forge"), pytest.raises(DBAPIError):
        db.session.execute(text(statement))
