"""Asking for another company's rows, or for more than a form offers: refused, and a line in the audit."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from synkro import embedded
from synkro.models import AuditLog, Tenant, Trial, User
from synkro.services.auth import sessions
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support.having import assert_has
from tests.support.planting import plant
from tests.support.rows import make_report
from tests.support.web_client import Enter


def noted(act: str = "foreign_object") -> list[AuditLog]:
    with system_scope("test"):
        return list(db.session.execute(select(AuditLog).where(AuditLog.act == act).order_by(AuditLog.seq)).scalars())


@pytest.fixture
def report_id(tenant: Tenant) -> uuid.UUID:
    return make_report(tenant)


def test_a_strangers_report_is_missing_and_the_attempt_is_noted(
    enter: Enter, cast: dict[str, User], report_id: uuid.UUID
) -> None:
    assert enter("other").get(f"/reports/{report_id}").status_code == 404
    [row] = noted()
    assert_has(row, tenant_id=cast["other"].tenant_id, actor_id=cast["other"].id, object_type="reports")


def test_a_strangers_test_analysis_is_written_down(
    enter: Enter, cast: dict[str, User], tenant: Tenant, engines: embedded.Engines
) -> None:
    cast["other"].can_manage_settings = True
    db.session.commit()
    trial_id = plant(tenant, cast["settings"], engines.superuser_url)["trial_id"]
    assert enter("other").get(f"/settings/ai/analyses/{trial_id}").status_code == 404
    assert [(row.object_type, row.object_id) for row in noted()] == [("trials", str(trial_id))]


def test_an_own_trial_that_is_no_analysis_is_no_attempt(
    enter: Enter, cast: dict[str, User], tenant: Tenant, engines: embedded.Engines
) -> None:
    plant(tenant, cast["settings"], engines.superuser_url)
    with tenant_scope(tenant.id):
        sample = db.session.execute(select(Trial.id).where(Trial.act == "chats")).scalar_one()
    before = len(noted())
    assert enter("settings").get(f"/settings/ai/analyses/{sample}").status_code == 404
    assert len(noted()) == before


@pytest.mark.parametrize("name", ["settings", "other", "lite", "admin"])
def test_ending_a_session_of_somebody_else_is_written_down(enter: Enter, cast: dict[str, User], name: str) -> None:
    enter("user")
    session_id = sessions.of(cast["user"].id)[0].id
    assert enter(name).send(f"/account/sessions/{session_id}/end").status_code == 404
    assert [(row.actor, row.object_type) for row in noted()] == [(cast[name].email, "sessions")]
    assert sessions.of(cast["user"].id)


@pytest.mark.parametrize("path", ["/account/sessions/end-others", "/logout"])
def test_a_form_without_fields_takes_none(enter: Enter, cast: dict[str, User], path: str) -> None:
    answer = enter("user").send(path, role="super_admin")
    assert answer.status_code == 422
    assert "role" in answer.text
    assert [row.details for row in noted("form_tampered")] == [{"fields": ["role"]}]


@pytest.mark.parametrize("path", ["name", "delete"])
def test_a_form_that_is_only_read_takes_no_other_field(
    enter: Enter, cast: dict[str, User], tenant: Tenant, path: str
) -> None:
    answer = enter("admin").send(f"/admin/companies/{tenant.id}/{path}", name="New", slug="alfa", tenant_id="x")
    assert answer.status_code == 422
    assert db.session.get_one(Tenant, tenant.id).status == "active"
    assert len(noted("form_tampered")) == 1


def test_a_person_is_not_renamed_with_fields_of_another_form(enter: Enter, cast: dict[str, User]) -> None:
    answer = enter("admin").send(f"/admin/people/{cast['user'].id}/name", name="New", email="new@example.com")
    assert answer.status_code == 422
    assert db.session.get_one(User, cast["user"].id).name == "User"


def test_a_report_that_is_nowhere_is_no_attempt(enter: Enter, cast: dict[str, User]) -> None:
    assert enter("other").get(f"/reports/{uuid.uuid4()}").status_code == 404
    assert noted() == []


@pytest.mark.parametrize("name", ["user", "lite"])
def test_what_a_form_does_not_have_is_refused_and_written_down(enter: Enter, cast: dict[str, User], name: str) -> None:
    person = enter(name)
    answer = person.send("/account/password", current="x", new="y", role="super_admin", **{"a" * 500: "secret value"})
    assert answer.status_code == 422
    (row,) = noted("form_tampered")
    assert_has(row, actor=cast[name].email, tenant_id=cast[name].tenant_id)
    assert row.details["fields"][-1] == "role"
    assert len(str(row.details)) < 200
    assert "secret value" not in str(row.details)
