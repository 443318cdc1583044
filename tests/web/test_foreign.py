"""Asking for another company's rows, or for more than a form offers: refused, and a line in the audit."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from synkro.models import AuditLog, Tenant, User
from synkro.tenancy import db, system_scope
from tests.web.conftest import Enter
from tests.web.rows import make_report


def noted(act: str = "foreign_object") -> list[AuditLog]:
    with system_scope("test"):
        return list(db.session.execute(select(AuditLog).where(AuditLog.act == act).order_by(AuditLog.seq)).scalars())


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


@pytest.mark.parametrize("name", ["user", "lite"])
def test_what_a_form_does_not_have_is_refused_and_written_down(enter: Enter, cast: dict[str, User], name: str) -> None:
    person = enter(name)
    answer = person.send("/account/password", current="x", new="y", role="super_admin", **{"a" * 500: "secret value"})
    assert answer.status_code == 422
    (row,) = noted("form_tampered")
    assert (row.actor, row.tenant_id) == (cast[name].email, cast[name].tenant_id)
    assert row.details["fields"][-1] == "role"
    assert len(str(row.details)) < 200
    assert "secret value" not in str(row.details)
