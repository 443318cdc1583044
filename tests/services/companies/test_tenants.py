from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

from synkro.errors import AppError
from synkro.jobs.engine.tick import tick
from synkro.models import AuditLog, Automation, JobRun, Tenant, User
from synkro.models.audit import PERSONAL
from synkro.models.states import RunKind, RunStatus, TenantStatus
from synkro.services import audit
from synkro.services.audit import heads, proof
from synkro.services.auth import sessions
from synkro.services.companies import tenants
from synkro.services.reports import runs, schedules
from synkro.tenancy import Base, db, system_scope, tenant_scope
from tests.support.having import assert_has
from tests.support.runs_by_hand import DAY, NOON, begin, state


def test_a_new_company_makes_reports_by_hand(app: Flask) -> None:
    tenant = tenants.create("alfa", "  Alfa  ")
    with tenant_scope(tenant.id):
        assert schedules.of_tenant() is None
        assert schedules.next_run(tenant) is None
    assert_has(tenant, name="Alfa", timezone="Asia/Almaty")


@pytest.mark.parametrize("slug", ["", "Alfa", "-alfa", "al fa", "алфа", "a/b", "a" * 64, "alfa\n"])
def test_a_bad_short_name_is_refused(app: Flask, slug: str) -> None:
    with pytest.raises(AppError, match="bad_slug"):
        tenants.create(slug, "Alfa")
    assert tenants.listed() == []


def test_a_company_needs_a_name(app: Flask) -> None:
    with pytest.raises(AppError, match="no_name"):
        tenants.create("alfa", "  ")


@pytest.mark.parametrize("zone", ["", "Mars/Phobos", "../etc/passwd", "Asia/Almaty\x00", "/etc/localtime", "Asia"])
def test_a_zone_that_is_none_is_refused(app: Flask, zone: str) -> None:
    with pytest.raises(AppError, match="bad_timezone"):
        tenants.create("alfa", "Alfa", zone)


def test_a_short_name_is_taken_once(app: Flask) -> None:
    first = tenants.create("alfa", "Alfa")
    with pytest.raises(AppError, match="slug_taken"):
        tenants.create("alfa", "Another")
    assert [tenant.id for tenant in tenants.listed()] == [first.id]


def test_no_company_is_made_without_its_line_in_the_audit(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_row: AuditLog) -> str:
        raise ValueError

    monkeypatch.setattr(audit, "digest_of", broken)
    with pytest.raises(ValueError):
        tenants.create("alfa", "Alfa")
    monkeypatch.undo()
    db.session.remove()
    assert tenants.listed() == []


def test_a_company_is_found_by_its_short_name(tenant: Tenant) -> None:
    found = tenants.by_slug("alfa")
    assert found is not None
    assert found.id == tenant.id
    assert tenants.by_slug("ALFA") is None


def test_a_company_that_is_not_there_is_told(app: Flask) -> None:
    with pytest.raises(AppError, match="no_tenant"):
        tenants.get(uuid.uuid4())


def test_staff_see_numbers(cast: dict[str, User]) -> None:
    assert tenants.counts() == {"tenants": 2, "users": 5}


def test_companies_are_listed_by_name(app: Flask) -> None:
    for slug, name in (("b", "Beta"), ("a", "Zeta"), ("c", "Alfa")):
        tenants.create(slug, name)
    assert [tenant.name for tenant in tenants.listed()] == ["Alfa", "Beta", "Zeta"]


def test_a_company_sees_its_own_schedule_only(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        assert [row.tenant_id for row in db.session.execute(select(Automation)).scalars()] == [tenant.id]


Cast = dict[str, User]

ACTS: dict[str, Callable[[User | None, Tenant], None]] = {
    "rename": lambda by, tenant: tenants.rename(by, tenant.id, "Another"),
    "pause": lambda by, tenant: tenants.pause(by, tenant.id),
    "resume": lambda by, tenant: tenants.resume(by, tenant.id),
    "delete": lambda by, tenant: tenants.delete(by, tenant.id, tenant.slug),
    "keep": lambda by, tenant: tenants.keep(by, tenant.id),
}


def found(tenant: Tenant) -> Tenant:
    db.session.expire_all()
    return tenants.get(tenant.id)


def acts_of(tenant: Tenant) -> list[str]:
    with tenant_scope(tenant.id):
        return list(db.session.execute(select(AuditLog.act).order_by(AuditLog.seq)).scalars())


def erased_later(days: float = 8) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=days), tick=True), system_scope("test: the tick"):
        tenants.delete_due()


@pytest.mark.parametrize("act", sorted(ACTS))
@pytest.mark.parametrize("by", ["lite", "settings"])
def test_only_a_chief_changes_a_company(cast: Cast, tenant: Tenant, act: str, by: str) -> None:
    with pytest.raises(AppError, match="not_allowed"):
        ACTS[act](cast[by], tenant)
    assert_has(found(tenant), name="Alfa", status=TenantStatus.ACTIVE)


def test_only_a_chief_creates_a_company(cast: Cast) -> None:
    with pytest.raises(AppError, match="not_allowed"):
        tenants.create("gamma", "Gamma", by=cast["lite"])
    assert tenants.by_slug("gamma") is None


@pytest.mark.parametrize("act", sorted(ACTS))
def test_a_company_of_no_id_is_told(cast: Cast, act: str) -> None:
    with pytest.raises(AppError, match="no_tenant"):
        ACTS[act](cast["admin"], Tenant(id=uuid.uuid4(), slug="alfa"))


def test_a_new_name_stands_in_the_audit_beside_the_old_one(cast: Cast, tenant: Tenant) -> None:
    tenants.rename(cast["admin"], tenant.id, " Альфа  и Ко ")
    assert found(tenant).name == "Альфа и Ко"
    with tenant_scope(tenant.id):
        row = db.session.execute(select(AuditLog)).scalar_one()
    assert_has(row, actor="admin@example.com", details={"before": "Alfa", "after": "Альфа и Ко"})


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "no_name"),
        (" \t ", "no_name"),
        ("x" * 201, "name_too_long"),
        ("x" * 10_000, "name_too_long"),
        ("<script>alert(1)</script>", "bad_name"),
        ("<svg onload=alert(1)>", "bad_name"),
        ("Al\u202efa", "bad_name"),
        ("Al\u200bfa", "bad_name"),
        ("Alfa\r\nBcc: x@y.kz", "bad_name"),
        ("Al\x00fa", "bad_name"),
        ("Al\x1b[31mfa", "bad_name"),
    ],
)
def test_a_name_that_deceives_is_refused(cast: Cast, tenant: Tenant, name: str, code: str) -> None:
    with pytest.raises(AppError, match=code):
        tenants.rename(cast["admin"], tenant.id, name)
    assert found(tenant).name == "Alfa"
    assert acts_of(tenant) == []


def test_a_paused_company_makes_no_reports_until_it_is_resumed(cast: Cast, tenant: Tenant) -> None:
    tenants.pause(cast["admin"], tenant.id)
    with pytest.raises(AppError, match="tenant_paused"), tenant_scope(tenant.id):
        runs.start(found(tenant), RunKind.MANUAL, NOON, NOON + DAY)
    tenants.resume(cast["admin"], tenant.id)
    with tenant_scope(tenant.id):
        assert runs.start(found(tenant), RunKind.MANUAL, NOON, NOON + DAY)[1]


def test_pausing_twice_is_written_down_once(cast: Cast, tenant: Tenant) -> None:
    for _ in range(2):
        tenants.pause(cast["admin"], tenant.id)
    assert acts_of(tenant) == ["tenant_paused"]


@pytest.mark.parametrize("typed", ["", "Alfa", "beta", "alfa ltd", "ALFA"])
def test_a_company_is_not_deleted_by_a_slip(cast: Cast, tenant: Tenant, typed: str) -> None:
    with pytest.raises(AppError, match="slug_differs"):
        tenants.delete(cast["admin"], tenant.id, typed)
    assert found(tenant).status == TenantStatus.ACTIVE


def test_people_of_a_deleted_company_are_out_and_its_run_stops(cast: Cast, tenant: Tenant) -> None:
    run_id = begin(tenant)
    token = sessions.start(cast["user"], "192.0.2.1", "a browser")
    others = sessions.start(cast["other"], "192.0.2.1", "a browser")
    tenants.delete(cast["admin"], tenant.id, " alfa ")
    assert sessions.load(token) is None
    assert sessions.load(others) is not None
    assert state(tenant, run_id)[0].status == RunStatus.CANCELLED
    with pytest.raises(AppError, match="tenant_paused"), tenant_scope(tenant.id):
        runs.start(found(tenant), RunKind.MANUAL, NOON, NOON + DAY)


def test_a_company_that_is_being_deleted_has_no_schedule(cast: Cast, tenant: Tenant) -> None:
    tenants.delete(cast["admin"], tenant.id, "alfa")
    with tenant_scope(tenant.id):
        db.session.execute(text("update automations set kind = 'daily', updated_at = now() - interval '3 days'"))
        db.session.commit()
        assert schedules.next_run(found(tenant)) is None
    with system_scope("test: the tick"):
        assert schedules.due_now() == []


@pytest.mark.parametrize("act", ["pause", "resume"])
def test_a_company_being_deleted_is_neither_paused_nor_resumed(cast: Cast, tenant: Tenant, act: str) -> None:
    tenants.delete(cast["admin"], tenant.id, "alfa")
    with pytest.raises(AppError, match="tenant_deleting"):
        ACTS[act](cast["admin"], tenant)
    assert found(tenant).status == TenantStatus.DELETING


def test_deleting_twice_does_not_put_the_day_off(cast: Cast, tenant: Tenant) -> None:
    tenants.delete(cast["admin"], tenant.id, "alfa")
    day = found(tenant).delete_at
    tenants.delete(cast["admin"], tenant.id, "alfa")
    assert found(tenant).delete_at == day


def test_a_deletion_is_taken_back_until_its_day(cast: Cast, tenant: Tenant) -> None:
    tenants.delete(cast["admin"], tenant.id, "alfa")
    erased_later(days=6.9)
    tenants.keep(cast["admin"], tenant.id)
    erased_later(days=30)
    assert_has(found(tenant), status=TenantStatus.PAUSED, delete_at=None)


def test_what_a_company_had_is_gone_after_its_day_others_keep_theirs(
    cast: Cast, tenant: Tenant, other_tenant: Tenant
) -> None:
    begin(tenant)
    kept = begin(other_tenant)
    tenants.delete(cast["admin"], tenant.id, "alfa")
    erased_later()
    with system_scope("test: look at what is left"):
        assert db.session.get(Tenant, tenant.id) is None
        for table in Base.metadata.sorted_tables:
            if "tenant_id" in table.c and table.name != "audit_log":
                rows = db.session.execute(select(table.c.tenant_id).where(table.c.tenant_id == tenant.id))
                assert rows.first() is None, table.name
        assert db.session.get(JobRun, kept) is not None
        left = set(db.session.execute(select(User.email)).scalars())
    assert left == {"other@example.com", "lite@example.com", "admin@example.com"}


def test_the_audit_of_a_deleted_company_names_nobody_and_still_holds(cast: Cast, tenant: Tenant) -> None:
    tenants.pause(cast["admin"], tenant.id)
    tenants.delete(cast["admin"], tenant.id, "alfa")
    erased_later()
    with system_scope("test: look at the audit log"):
        own = select(AuditLog).where(AuditLog.tenant_id == tenant.id).order_by(AuditLog.seq)
        rows = list(db.session.execute(own).scalars())
        erased = db.session.execute(select(AuditLog).where(AuditLog.act == "tenant_erased")).scalar_one()
    assert [row.act for row in rows] == ["tenant_paused", "tenant_deletion_asked"]
    assert all(getattr(row, name) == empty for row in rows for name, empty in PERSONAL.items())
    assert_has(erased, tenant_id=None, object_id=str(tenant.id))
    assert proof.verify(heads.read()).in_order


def test_the_tick_erases_what_is_due(cast: Cast, tenant: Tenant, other_tenant: Tenant) -> None:
    tenants.delete(cast["admin"], tenant.id, "alfa")
    db.session.execute(text("update tenants set delete_at = now() where slug = 'alfa'"))
    db.session.commit()
    tick()
    assert [one.id for one in tenants.listed()] == [other_tenant.id]
