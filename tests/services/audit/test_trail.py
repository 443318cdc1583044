"""Reading the audit: whose rows, which, in what order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from synkro import embedded
from synkro.models import AuditLog, Tenant, User
from synkro.models.audit import STAFF_CHAIN
from synkro.services import audit
from synkro.services.audit import export, heads, proof, trail
from synkro.services.audit.trail import Asked, Entry
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support.having import assert_has

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


def noted(tenant: Tenant, *acts: str, actor: str = "a@example.com") -> None:
    with tenant_scope(tenant.id):
        for act in acts:
            audit.record(act, actor=actor)
            db.session.commit()


def noted_by_staff(*acts: str) -> None:
    with system_scope("test: acts of staff"):
        for act in acts:
            audit.record(act, actor="staff@example.com")
            db.session.commit()


def acts(entries: list[Entry]) -> list[str]:
    return [entry.act for entry in entries]


def of_all(asked: Asked) -> list[str]:
    return acts(trail.page_of_all(asked, 0, 0).rows)


def test_a_company_reads_its_own_rows(tenant: Tenant, other_tenant: Tenant) -> None:
    noted(tenant, "a", "b")
    noted(other_tenant, "c")
    noted_by_staff("d")
    with tenant_scope(tenant.id):
        assert acts(trail.page(Asked(), 0, 0).rows) == ["b", "a"]


def test_staff_read_all_or_one_company_or_themselves(tenant: Tenant, other_tenant: Tenant) -> None:
    noted(tenant, "a")
    noted(other_tenant, "b")
    noted_by_staff("c")
    found = [of_all(Asked(company=one)) for one in (None, other_tenant.id, STAFF_CHAIN)]
    assert found == [["c", "b", "a"], ["b"], ["c"]]


def test_the_period_begins_with_its_start_and_ends_before_its_end(tenant: Tenant) -> None:
    for hours, act in enumerate(("a", "b", "c")):
        with time_machine.travel(NOON + timedelta(hours=hours), tick=False):
            noted(tenant, act)
    assert of_all(Asked(since=NOON, until=NOON + timedelta(hours=2))) == ["b", "a"]


def test_acts_are_chosen_by_their_word(tenant: Tenant) -> None:
    noted(tenant, "a", "b", "a")
    assert of_all(Asked(act="a")) == ["a", "a"]


@pytest.mark.parametrize(("part", "found"), [("DANA", 1), ("example", 2), ("%", 0), ("_", 0), ("\\", 0), ("\0", 2)])
def test_people_are_searched_by_a_part_of_the_name_as_it_is_typed(tenant: Tenant, part: str, found: int) -> None:
    noted(tenant, "a", actor="dana@example.com")
    noted(tenant, "b", actor="aigerim@example.com")
    assert len(of_all(Asked(actor=part))) == found


@pytest.mark.parametrize("count", [0, 1, 100, 101, 205])
def test_pages_forth_and_back_show_every_row_once(tenant: Tenant, count: int) -> None:
    with tenant_scope(tenant.id):
        for number in range(count):
            audit.record(str(number))
        db.session.commit()
        page = trail.page(Asked(), 0, 0)
        forth = [page]
        while page.older:
            page = trail.page(Asked(), page.older, 0)
            forth.append(page)
        back = [page]
        while page.newer:
            page = trail.page(Asked(), 0, page.newer)
            back.append(page)
    assert [act for one in forth for act in acts(one.rows)] == [str(n) for n in range(count)][::-1]
    assert {act for one in back for act in acts(one.rows)} == {str(n) for n in range(count)}


def test_a_company_does_not_see_who_of_staff_it_was(app: Flask, tenant: Tenant, cast: dict[str, User]) -> None:
    with system_scope("test: an act of staff in a company"):
        audit.record("tenant_paused", tenant_id=tenant.id)
        row = db.session().info[audit.PENDING][0]
        row.actor_id, row.actor, row.address = cast["admin"].id, cast["admin"].email, "192.0.2.7"
        row.outsider = True
        db.session.commit()
    with tenant_scope(tenant.id):
        found = trail.page(Asked(), 0, 0).rows
        guessed = trail.page(Asked(actor="admin@"), 0, 0).rows
    assert [(one.actor, one.address) for one in found] == [("", "")]
    assert guessed == []
    assert [one.actor for one in trail.page_of_all(Asked(), 0, 0).rows] == [cast["admin"].email]


def test_a_company_sees_who_of_its_people_it_was(tenant: Tenant, cast: dict[str, User]) -> None:
    with tenant_scope(tenant.id):
        audit.record("comment_added")
        row = db.session().info[audit.PENDING][0]
        row.actor_id, row.actor, row.address = cast["user"].id, cast["user"].email, "192.0.2.7"
        db.session.commit()
        found = trail.page(Asked(actor="user@"), 0, 0).rows
    assert [(one.actor, one.address) for one in found] == [(cast["user"].email, "192.0.2.7")]


def test_a_row_that_does_not_say_who_it_was_names_and_blames_nobody(tenant: Tenant, cast: dict[str, User]) -> None:
    with tenant_scope(tenant.id):
        audit.record("comment_added")
        row = db.session().info[audit.PENDING][0]
        row.actor_id, row.actor, row.outsider = cast["user"].id, cast["user"].email, None
        db.session.commit()
        (found,) = trail.page(Asked(), 0, 0).rows
    assert_has(found, actor="", is_known=False)


def test_whether_staff_acted_cannot_be_changed_unseen(tenant: Tenant, engines: embedded.Engines) -> None:
    noted(tenant, "a")
    assert proof.verify(heads.read()).in_order
    with psycopg.connect(engines.superuser_url, dbname="synkro", autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("update audit_log set outsider = not outsider")
    assert not proof.verify(heads.read()).in_order


def test_a_row_from_before_the_mark_still_fits_its_hash(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        audit.record("a")
        db.session().info[audit.PENDING][0].outsider = None
        db.session.commit()
        row = db.session.execute(select(AuditLog)).scalar_one()
        assert "outsider" not in row.payload()
    assert proof.verify(heads.read()).in_order


def test_an_export_tells_by_one_row_that_there_are_more(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "BATCH", 3)
    monkeypatch.setattr(export, "MOST_EXPORTED", 7)
    noted(tenant, *map(str, range(10)))
    found = list(export.exported(export.rows_of_all, Asked()))
    assert acts(found) == [str(n) for n in range(9, 1, -1)]


def test_an_export_is_written_down_without_what_was_typed(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        export.note_export(Asked(actor="secret", act="a"))
        entry = trail.page(Asked(), 0, 0).rows[0]
    assert_has(entry, act="audit_exported", details={"fields": ["actor", "act"]})
