from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from synkro.models import Delivery, Tenant
from synkro.models.states import DeliveryStatus, ReportStatus
from synkro.services.reports import deliveries, reports, runs
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_has
from tests.support.runs_by_hand import at_once, begin

GROUP = "-100500"


@pytest.fixture
def report_id(tenant: Tenant) -> Iterator[uuid.UUID]:
    run_id = begin(tenant)
    with tenant_scope(tenant.id):
        run = runs.find(run_id)
        assert run is not None
        found = reports.save(run, ReportStatus.READY, "", {}, [])
        db.session.commit()
        yield found


def planned(report_id: uuid.UUID, parts: int = 3, target: str = GROUP) -> list[Delivery]:
    return deliveries.plan(report_id, deliveries.TELEGRAM, target, parts)


def test_each_part_has_one_row_however_often_it_is_planned(app: Flask, tenant: Tenant, report_id: uuid.UUID) -> None:
    at_once(app, tenant, 6, lambda _: len(planned(report_id)))
    assert [row.part for row in planned(report_id)] == [1, 2, 3]
    assert len(db.session.execute(select(Delivery)).all()) == 3


def test_a_part_is_begun_by_one(app: Flask, tenant: Tenant, report_id: uuid.UUID) -> None:
    row = planned(report_id, 1)[0]
    assert sum(at_once(app, tenant, 8, lambda _: deliveries.begin(row))) == 1


@pytest.mark.parametrize("status", DeliveryStatus)
def test_only_what_certainly_did_not_arrive_is_begun(report_id: uuid.UUID, status: DeliveryStatus) -> None:
    row = planned(report_id, 1)[0]
    row.status = status
    db.session.commit()
    assert deliveries.begin(row) is (status in (DeliveryStatus.PLANNED, DeliveryStatus.FAILED))


def test_what_was_sent_stays_sent(report_id: uuid.UUID) -> None:
    row = planned(report_id, 1)[0]
    deliveries.begin(row)
    deliveries.end(row, DeliveryStatus.SENT, message_id=7)
    deliveries.end(row, DeliveryStatus.FAILED, code="busy")
    after = planned(report_id, 1)[0]
    assert_has(after, status=DeliveryStatus.SENT, message_id=7, code=None)
    assert after.sent_at is not None


def test_a_person_releases_only_what_nobody_knows_of(report_id: uuid.UUID) -> None:
    for row, status in zip(planned(report_id), ("sent", "unknown", "failed"), strict=True):
        row.status = status
    db.session.commit()
    deliveries.release(report_id)
    db.session.commit()
    assert [row.status for row in planned(report_id)] == ["sent", "planned", "failed"]


def test_a_group_that_moved_takes_its_parts_along(report_id: uuid.UUID) -> None:
    planned(report_id)[0].status = DeliveryStatus.SENT
    deliveries.follow(deliveries.TELEGRAM, GROUP, "-100999")
    db.session.commit()
    assert [row.status for row in planned(report_id, target="-100999")] == ["sent", "planned", "planned"]
    assert len(db.session.execute(select(Delivery)).all()) == 3


def test_a_group_that_moved_twice_loses_nothing(report_id: uuid.UUID) -> None:
    planned(report_id, 1)
    planned(report_id, 1, target="-100999")
    deliveries.follow(deliveries.TELEGRAM, GROUP, "-100999")
    db.session.commit()
    assert len(db.session.execute(select(Delivery)).all()) == 2


def test_another_group_gets_its_own_parts(report_id: uuid.UUID) -> None:
    planned(report_id)[0].status = DeliveryStatus.SENT
    db.session.commit()
    assert {row.status for row in planned(report_id, target="-7")} == {"planned"}


def test_another_company_sees_no_delivery(report_id: uuid.UUID, other_tenant: Tenant) -> None:
    planned(report_id)
    with tenant_scope(other_tenant.id):
        assert db.session.execute(select(Delivery)).all() == []
