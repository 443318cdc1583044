from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from synkro.errors import AppError
from synkro.models import AiCall, Report, Tenant, User
from synkro.models.states import ReportStatus, RunKind
from synkro.services.reports import artifacts, reports, runs
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_has
from tests.support.runs_by_hand import DAY, KEYS, NOON, begin, failed


def report_of(tenant: Tenant, days: int = 0, summary: str = "Итоги дня") -> uuid.UUID:
    """A saved report of the window that begins so many days after NOON."""
    run_id = begin(tenant, RunKind.DAILY, NOON + days * DAY)
    with tenant_scope(tenant.id):
        run = runs.find(run_id)
        assert run is not None
        found = reports.save(run, ReportStatus.READY, summary, {"leads_in_window": 3}, [])
        db.session.commit()
    failed(tenant, run_id, KEYS[0])
    return found


def opened(report_id: uuid.UUID) -> Report:
    report = reports.find(report_id)
    assert report is not None
    return report


def test_a_run_has_one_report_however_often_it_is_saved(tenant: Tenant) -> None:
    report_id = report_of(tenant)
    with tenant_scope(tenant.id):
        run = runs.find(opened(report_id).run_id)
        assert run is not None
        again = reports.save(run, ReportStatus.FIGURES_ONLY, "", {}, [])
        db.session.commit()
        db.session.expire_all()
        assert again == report_id == reports.id_for(run.id)
        assert reports.listed(1).rows[0].status == ReportStatus.FIGURES_ONLY
        assert len(reports.listed(1).rows) == 1


def test_a_report_of_another_company_does_not_exist(tenant: Tenant, other_tenant: Tenant) -> None:
    report_id = report_of(tenant)
    with tenant_scope(other_tenant.id):
        assert reports.find(report_id) is None
        assert reports.listed(1).rows == []
        assert reports.comments(report_id) == []


def test_reports_are_listed_newest_window_first(tenant: Tenant) -> None:
    ids = [report_of(tenant, days) for days in (1, 0, 2)]
    with tenant_scope(tenant.id):
        assert [report.id for report in reports.listed(1).rows] == [ids[2], ids[0], ids[1]]
        assert [report.id for report in reports.latest(2)] == [ids[2], ids[0]]


def test_the_list_has_pages(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "PAGE", 2)
    ids = [report_of(tenant, days) for days in range(5)]
    with tenant_scope(tenant.id):
        found = [reports.listed(page) for page in (1, 2, 3)]
    assert [page.pages for page in found] == [3] * 3
    assert [report.id for page in found for report in page.rows] == ids[::-1]


def test_each_report_knows_its_neighbours(tenant: Tenant) -> None:
    ids = [report_of(tenant, days) for days in range(3)]
    with tenant_scope(tenant.id):
        around = [tuple(one and one.id for one in reports.neighbours(opened(key))) for key in ids]
    assert around == [(ids[1], None), (ids[2], ids[0]), (None, ids[1])]


def test_the_text_is_there_until_retention_passes(tenant: Tenant) -> None:
    report_id = report_of(tenant)
    with tenant_scope(tenant.id):
        report = opened(report_id)
        assert reports.body(report) is None
        body = {"text": "Текст", "findings": [], "unconfirmed": ["?"], "managers": []}
        artifacts.put(report.run_id, reports.BODY, 0, [body], {})
        db.session.commit()
        found = reports.body(report)
    assert found is not None
    assert_has(found, text="Текст", unconfirmed=["?"])


def test_a_comment_is_kept_with_its_author(tenant: Tenant, cast: dict[str, User]) -> None:
    report_id = report_of(tenant)
    with tenant_scope(tenant.id):
        reports.comment(opened(report_id), cast["user"], "  Позвонили\x00 клиенту \n")
        (row,) = reports.comments(report_id)
    assert_has(row, body="Позвонили клиенту", author="User")


@pytest.mark.parametrize("text", ["", "  \n ", "\x00", "x" * 4_001])
def test_an_empty_or_endless_comment_is_refused(tenant: Tenant, cast: dict[str, User], text: str) -> None:
    report_id = report_of(tenant)
    with tenant_scope(tenant.id):
        with pytest.raises(AppError, match="comment_length"):
            reports.comment(opened(report_id), cast["user"], text)
        assert reports.comments(report_id) == []


def test_the_longest_comment_fits(tenant: Tenant, cast: dict[str, User]) -> None:
    report_id = report_of(tenant)
    with tenant_scope(tenant.id):
        assert len(reports.comment(opened(report_id), cast["user"], "ж" * 4_000).body) == 4_000


def test_the_list_shows_the_latest_comment(tenant: Tenant, cast: dict[str, User]) -> None:
    ids = [report_of(tenant, days) for days in range(2)]
    with tenant_scope(tenant.id):
        for text in ("first", "second"):
            reports.comment(opened(ids[0]), cast["user"], text)
        assert reports.first_comments(ids) == {ids[0]: "second"}
        assert reports.first_comments([]) == {}


def spent(tenant: Tenant, run_id: uuid.UUID, cost: str | None) -> AiCall:
    return AiCall(
        tenant_id=tenant.id, run_id=run_id, purpose="analyse", seq=0, provider="gemini", model="m", outcome="ok",
        prompt_hash="h", tokens_in=10, tokens_out=2, cost=cost, created_at=NOON + timedelta(seconds=1),
    )  # fmt: skip


def test_the_cost_of_a_run_is_the_sum_of_its_calls(tenant: Tenant) -> None:
    report_id = report_of(tenant)
    with tenant_scope(tenant.id):
        run_id = opened(report_id).run_id
        db.session.add_all([spent(tenant, run_id, "0.002"), spent(tenant, run_id, "0.003")])
        db.session.commit()
        usage = reports.ai_usage(run_id)
    assert usage == {"calls": 2, "tokens_in": 20, "tokens_out": 4, "cost": pytest.approx(0.005)}


def test_a_run_without_calls_cost_nothing(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        assert reports.ai_usage(uuid.uuid4()) == {"calls": 0, "tokens_in": 0, "tokens_out": 0, "cost": 0.0}


@pytest.mark.parametrize(("costs", "total"), [(("0.002", None), None), ((None,), None), (("0", "0"), 0.0)])
def test_a_part_of_the_cost_is_not_shown_as_the_whole(
    tenant: Tenant, costs: tuple[str | None, ...], total: float | None
) -> None:
    report_id = report_of(tenant)
    with tenant_scope(tenant.id):
        run_id = opened(report_id).run_id
        db.session.add_all([spent(tenant, run_id, cost) for cost in costs])
        db.session.commit()
        assert reports.ai_usage(run_id)["cost"] == total
