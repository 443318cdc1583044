"""The proof of the audit finds what the superuser of the database has done behind its back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from flask import Flask
from sqlalchemy import delete, update

from synkro.extensions import redis, remember, settings, vault
from synkro.models import AuditLog, Tenant
from synkro.models.audit import PERSONAL, STAFF_CHAIN
from synkro.services import audit
from synkro.services.audit import heads, proof
from synkro.services.audit.heads import Head, Kept
from synkro.services.audit.proof import Finding
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support.having import assert_has

Forge = Callable[..., None]
NOW = datetime(2026, 11, 18, tzinfo=UTC)


@pytest.fixture
def forge(app: Flask, postgres_superuser_url: str) -> Iterator[Forge]:
    """Runs SQL for which no trigger, no right and no policy counts."""
    with psycopg.connect(postgres_superuser_url, dbname="synkro", autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        yield connection.execute


def noted(tenant: Tenant, count: int) -> None:
    with tenant_scope(tenant.id):
        for n in range(count):
            audit.record("user_created", "user", uuid.uuid4(), n=n)
        db.session.commit()


def noted_by_staff(count: int) -> None:
    with system_scope("test: acts of staff"):
        for n in range(count):
            audit.record("tenant_erased", "tenant", n)
        db.session.commit()


def kept(*heads: Head) -> Kept:
    found = Kept()
    for head in heads:
        found.add(head.line(NOW))
    return found


def findings(heads: Kept | None = None) -> dict[uuid.UUID, Finding]:
    verdict = proof.verify(heads or Kept())
    return {chain.chain: chain.finding for chain in verdict.chains if chain.finding}


def test_all_is_as_it_was_written(tenant: Tenant, other_tenant: Tenant) -> None:
    noted(tenant, 3)
    noted(other_tenant, 2)
    noted_by_staff(1)
    verdict = proof.verify(kept(*heads.current()))
    assert verdict.in_order
    assert {chain.chain: chain.rows for chain in verdict.chains} == {tenant.id: 3, other_tenant.id: 2, STAFF_CHAIN: 1}


def test_an_empty_log_is_in_order(app: Flask) -> None:
    verdict = proof.verify(Kept())
    assert_has(verdict, in_order=True, is_key_wrong=False, chains=[])


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'somebody else'",
        "act = 'signed_in'",
        "at = at + interval '1 microsecond'",
        "details = '{\"n\": 7}'",
        "actor_id = gen_random_uuid()",
        "address = '192.0.2.9'",
        "object_id = ''",
        "actor_id = null, actor = '', object_id = '', address = '', request_id = '', details = '{}'",
        "digest = repeat('0', 64)",
        "digest = null",
    ],
)
def test_an_edited_row_is_found(tenant: Tenant, forge: Forge, change: str) -> None:
    noted(tenant, 4)
    forge(f"update audit_log set {change} where seq = 2")
    assert findings() == {tenant.id: Finding(2, "edited")}


def test_an_edited_row_with_a_fitting_hash_is_found(tenant: Tenant, forge: Forge) -> None:
    noted(tenant, 3)
    with system_scope("test: the hash that an edited row should have"):
        row = db.session.query(AuditLog).filter_by(seq=2).one()
        row.actor = "somebody else"
        digest = audit.digest_of(row)
        db.session.rollback()
    forge("update audit_log set actor = 'somebody else', digest = %s where seq = 2", [digest])
    assert findings() == {tenant.id: Finding(2, "relinked")}


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_a_removed_row_is_found(tenant: Tenant, forge: Forge, seq: int) -> None:
    noted(tenant, 4)
    forge("delete from audit_log where seq = %s", [seq])
    assert findings() == {tenant.id: Finding(seq, "missing")}


def test_a_removed_row_whose_gap_was_closed_is_found(tenant: Tenant, forge: Forge) -> None:
    noted(tenant, 4)
    forge("delete from audit_log where seq = 2")
    for seq in (3, 4):
        forge("update audit_log set seq = %s where seq = %s", [seq - 1, seq])
    assert findings() == {tenant.id: Finding(2, "relinked")}


def test_a_row_of_another_chain_is_found(tenant: Tenant, other_tenant: Tenant, forge: Forge) -> None:
    noted(tenant, 2)
    noted(other_tenant, 1)
    forge("update audit_log set tenant_id = %s where tenant_id = %s and seq = 2", [other_tenant.id, tenant.id])
    assert findings() == {other_tenant.id: Finding(2, "relinked")}


def test_a_chain_in_order_is_not_blamed_for_another(tenant: Tenant, other_tenant: Tenant, forge: Forge) -> None:
    noted(tenant, 3)
    noted(other_tenant, 3)
    forge("update audit_log set actor = 'x' where tenant_id = %s", [other_tenant.id])
    assert findings() == {other_tenant.id: Finding(1, "edited")}


def test_a_cut_tail_is_found_by_the_kept_head(tenant: Tenant, forge: Forge) -> None:
    noted(tenant, 4)
    ends = kept(*heads.current())
    forge("delete from audit_log where seq > 2")
    assert findings() == {}
    assert findings(ends) == {tenant.id: Finding(3, "cut")}


def test_a_chain_that_is_cut_away_whole_is_found(tenant: Tenant, forge: Forge) -> None:
    noted(tenant, 2)
    ends = kept(*heads.current())
    forge("delete from audit_log")
    assert findings(ends) == {tenant.id: Finding(1, "cut")}


def test_a_cut_tail_on_which_new_rows_grew_is_found(tenant: Tenant, forge: Forge) -> None:
    noted(tenant, 4)
    ends = kept(*heads.current())
    forge("delete from audit_log where seq > 2")
    noted(tenant, 5)
    assert findings(ends) == {tenant.id: Finding(4, "other_head")}


def test_heads_that_contradict_each_other_are_found(tenant: Tenant) -> None:
    noted(tenant, 1)
    assert findings(kept(*heads.current(), Head(tenant.id, 1, "0" * 64))) == {tenant.id: Finding(1, "other_head")}


def test_a_deleted_company_keeps_its_chain_without_its_people(tenant: Tenant) -> None:
    noted(tenant, 3)
    ends = kept(*heads.current())
    with system_scope("test: delete a company"):
        db.session.execute(delete(Tenant).where(Tenant.id == tenant.id))
        db.session.execute(update(AuditLog).where(AuditLog.tenant_id == tenant.id).values(**PERSONAL))
        db.session.commit()
    verdict = proof.verify(ends)
    assert verdict.in_order is True
    assert [(chain.rows, chain.emptied) for chain in verdict.chains] == [(3, 3)]


def test_an_emptied_act_of_staff_is_found(app: Flask, forge: Forge) -> None:
    noted_by_staff(2)
    forge("update audit_log set actor = '', object_id = '', details = '{}'")
    assert findings() == {STAFF_CHAIN: Finding(1, "edited")}


def test_a_half_emptied_row_of_a_deleted_company_is_found(tenant: Tenant, forge: Forge) -> None:
    noted(tenant, 1)
    forge("delete from tenants where id = %s", [tenant.id])
    forge("update audit_log set actor = ''")
    assert findings() == {tenant.id: Finding(1, "edited")}


def test_rows_from_before_the_chain_are_counted(tenant: Tenant, forge: Forge) -> None:
    noted(tenant, 2)
    forge("update audit_log set seq = null, mac = null, digest = null where seq = 2")
    verdict = proof.verify(Kept())
    assert_has(verdict, in_order=True, unchained=1)


def test_another_key_is_told_from_forgery(app: Flask, tenant: Tenant, other_tenant: Tenant) -> None:
    noted(tenant, 2)
    noted(other_tenant, 2)
    remember(app, replace(settings(), audit_key="x" * 40), vault(), redis())
    verdict = proof.verify(Kept())
    assert_has(verdict, in_order=False, is_key_wrong=True)


def test_one_wrong_link_is_no_wrong_key(tenant: Tenant, other_tenant: Tenant, forge: Forge) -> None:
    noted(tenant, 2)
    noted(other_tenant, 2)
    forge("update audit_log set mac = repeat('0', 64) where seq = 1 and tenant_id = %s", [tenant.id])
    verdict = proof.verify(Kept())
    assert_has(verdict, in_order=False, is_key_wrong=False)
