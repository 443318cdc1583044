"""Asking for another company's rows: the answer of a missing one, and a line in the audit."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from synkro.models import AuditLog, Tenant, User
from synkro.tenancy import db, system_scope
from tests.web.conftest import Enter
from tests.web.rows import make_report


def noted() -> list[AuditLog]:
    with system_scope("test"):
        found = db.session.execute(select(AuditLog).where(AuditLog.act == "foreign_object")).scalars()
        return list(found)


@pytest.fixture
def report_id(tenant: Tenant) -> uuid.UUID:
    return make_report(tenant)


def test_a_strangers_report_is_missing_and_the_attempt_is_written_down(
    enter: Enter, cast: dict[str, User], report_id: uuid.UUID
) -> None:
    assert enter("other").get(f"/reports/{report_id}").status_code == 404
    [row] = noted()
    assert (row.tenant_id, row.actor_id, row.object_type) == (cast["other"].tenant_id, cast["other"].id, "reports")


def test_a_report_that_is_nowhere_is_no_attempt(enter: Enter, cast: dict[str, User]) -> None:
    assert enter("other").get(f"/reports/{uuid.uuid4()}").status_code == 404
    assert noted() == []
