from __future__ import annotations

import uuid

import pytest
from flask import Flask
from sqlalchemy import select

from synkro.errors import AppError
from synkro.models import Automation, Tenant, User
from synkro.models.states import Kind
from synkro.services import schedules, tenants
from synkro.tenancy import db, tenant_scope


def test_a_new_company_makes_reports_by_hand(app: Flask) -> None:
    tenant = tenants.create("alfa", "  Alfa  ")
    with tenant_scope(tenant.id):
        automation = schedules.of_tenant()
    assert automation is not None
    assert (tenant.name, tenant.timezone, automation.kind) == ("Alfa", "Asia/Almaty", Kind.MANUAL)


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
