"""Pages of companies for staff: what they show, what they change, what they refuse."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from synkro.models import AuditLog, Tenant, User
from synkro.models.states import TenantStatus
from synkro.services.companies import tenants
from synkro.tenancy import db, system_scope
from tests.support.having import assert_has
from tests.support.rows import make_report
from tests.support.sessions import stale
from tests.support.web_client import Enter

HOSTILE = [
    "<script>alert(1)</script>",
    "<svg/onload=alert(1)>",
    "Al\u202efa",
    "Alfa\r\nSet-Cookie: a=b",
    "Al\x00fa",
    "\x1b[31mAlfa",
    "x" * 10_000,
]


def status_of(tenant: Tenant) -> str:
    db.session.expire_all()
    return tenants.get(tenant.id).status


def acts() -> list[tuple[str, str]]:
    with system_scope("test: look at the audit log"):
        rows = db.session.execute(select(AuditLog.act, AuditLog.actor).order_by(AuditLog.id))
        return [(act, actor) for act, actor in rows]


def test_companies_are_listed_with_how_many_people_they_have(enter: Enter) -> None:
    page = enter("lite").get("/admin").text
    assert page.index(">Alfa<") < page.index(">Beta<")
    assert '<td class="r num" data-label="People">2</td>' in page


def test_a_company_is_found_by_a_part_of_its_name(enter: Enter) -> None:
    page = enter("admin").get("/admin?q=eta").text
    assert ">Beta<" in page
    assert ">Alfa<" not in page


def test_nothing_found_says_what_to_do(enter: Enter) -> None:
    page = enter("admin").get("/admin?q=%25").text
    assert "No company is like this" in page
    assert "Show all" in page


@pytest.mark.parametrize("query", ["q=%00", "q=" + "x" * 5_000, "status=king", "page=99999999999999999999", "page=-1"])
@pytest.mark.parametrize("path", ["/admin", "/admin/people"])
def test_a_strange_question_is_answered(enter: Enter, path: str, query: str) -> None:
    assert enter("admin").get(f"{path}?{query}").status_code == 200


def test_a_company_is_created_and_shown(enter: Enter) -> None:
    admin = enter("admin")
    answer = admin.send("/admin/companies/new", name="Gamma & Co", slug="gamma", timezone="Asia/Aqtau")
    made = tenants.by_slug("gamma")
    assert made is not None
    assert_has(answer, status_code=303, location=f"/admin/companies/{made.id}")
    assert "Gamma &amp; Co" in admin.get(answer.location).text
    assert acts() == [("tenant_created", "admin@example.com")]


@pytest.mark.parametrize(
    ("wrong", "status", "sentence"),
    [
        ({"slug": "Big Slug"}, 422, "lower-case Latin letters"),
        ({"slug": "alfa"}, 409, "already a company"),
        ({"name": "  "}, 422, "needs a name"),
        ({"name": ""}, 422, "Fill this in"),
        ({"timezone": "Mars/Base"}, 422, "time zone is not known"),
        ({"timezone": "../../etc/passwd"}, 422, "time zone is not known"),
    ],
)
def test_what_was_typed_stays_beside_what_is_wrong(
    enter: Enter, wrong: dict[str, str], status: int, sentence: str
) -> None:
    typed = {"name": "Gamma Kitchens", "slug": "gamma", "timezone": "Asia/Almaty", **wrong}
    answer = enter("admin").send("/admin/companies/new", **typed)
    assert answer.status_code == status
    assert sentence in answer.text
    assert all(f'value="{text}"' in answer.text for text in typed.values() if text.strip())
    assert len(tenants.listed()) == 2


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_neither_stored_nor_executed(enter: Enter, tenant: Tenant, name: str) -> None:
    admin = enter("admin")
    for path in ("/admin/companies/new", f"/admin/companies/{tenant.id}/name"):
        answer = admin.send(path, name=name, slug="gamma", timezone="Asia/Almaty")
        assert answer.status_code == 422
        assert "<script>alert" not in answer.text
        assert "<svg/onload" not in answer.text
    assert [one.name for one in tenants.listed()] == ["Alfa", "Beta"]


@pytest.mark.parametrize("address", ["1", "..", uuid.uuid4(), "0" * 4_000, "%00"])
def test_an_address_of_no_company_is_not_found(enter: Enter, address: object) -> None:
    assert enter("admin").get(f"/admin/companies/{address}").status_code in (400, 404)


def test_an_id_of_another_kind_is_not_found(enter: Enter, cast: dict[str, User], tenant: Tenant) -> None:
    report = make_report(tenant)
    admin = enter("admin")
    for other in (cast["user"].id, report):
        assert admin.get(f"/admin/companies/{other}").status_code == 404
        assert admin.send(f"/admin/companies/{other}/pause").status_code == 404


def test_a_company_is_renamed_paused_and_resumed(enter: Enter, tenant: Tenant) -> None:
    admin, path = enter("admin"), f"/admin/companies/{tenant.id}"
    assert admin.send(f"{path}/name", name="Alfa Kitchens").status_code == 303
    assert admin.send(f"{path}/pause").status_code == 303
    assert status_of(tenant) == TenantStatus.PAUSED
    page = admin.get(path).text
    assert "Alfa Kitchens" in page
    assert f'action="{path}/resume"' in page
    assert admin.send(f"{path}/resume").status_code == 303
    assert status_of(tenant) == TenantStatus.ACTIVE


def test_a_company_is_deleted_by_its_short_name_and_taken_back(enter: Enter, tenant: Tenant) -> None:
    admin, user, path = enter("admin"), enter("user"), f"/admin/companies/{tenant.id}"
    refused = admin.send(f"{path}/delete", slug="alpha")
    assert refused.status_code == 422
    assert 'value="alpha"' in refused.text
    assert user.get("/dashboard").status_code == 200
    assert admin.send(f"{path}/delete", slug="alfa").status_code == 303
    assert user.get("/dashboard").status_code == 302
    assert "Everything is erased after" in admin.get(path).text
    assert admin.send(f"{path}/keep").status_code == 303
    assert status_of(tenant) == TenantStatus.PAUSED


def test_a_deletion_wants_a_fresh_password(enter: Enter, tenant: Tenant) -> None:
    admin = enter("admin")
    stale()
    answer = admin.send(f"/admin/companies/{tenant.id}/delete", slug="alfa")
    assert answer.status_code == 303
    assert answer.location.split("?")[0] == "/confirm"
    assert status_of(tenant) == TenantStatus.ACTIVE


@pytest.mark.parametrize("act", ["name", "pause", "resume", "delete", "keep"])
@pytest.mark.parametrize(("who", "chain"), [("lite", None), ("settings", "alfa")])
def test_whoever_tries_more_is_refused_and_written_down(
    enter: Enter, tenant: Tenant, act: str, who: str, chain: str | None
) -> None:
    answer = enter(who).send(f"/admin/companies/{tenant.id}/{act}", name="Mine", slug="alfa")
    assert answer.status_code == 403
    with system_scope("test: look at the audit log"):
        (row,) = db.session.execute(select(AuditLog)).scalars()
    assert_has(row, act="overstepped", actor=f"{who}@example.com", tenant_id=tenant.id if chain else None)


def test_lower_staff_are_not_shown_what_they_may_not_do(enter: Enter, tenant: Tenant) -> None:
    lite = enter("lite")
    page = lite.get(f"/admin/companies/{tenant.id}").text
    assert not any(f"/{act}" in page for act in ("pause", "delete", "name"))
    assert "New company" not in lite.get("/admin").text


def test_staff_see_nothing_that_a_company_reads(enter: Enter, tenant: Tenant) -> None:
    make_report(tenant, summary="SENTINEL of a report")
    for path in ("/admin", f"/admin/companies/{tenant.id}", "/admin/people"):
        assert "SENTINEL" not in enter("admin").get(path).text
