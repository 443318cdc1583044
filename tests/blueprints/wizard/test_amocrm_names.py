"""What a company calls its pipelines, stages and reasons: copied in one piece, forgotten never, used in reports."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import event, func, select

from synkro.infra import queue
from synkro.infra.records import Stage
from synkro.jobs.engine.worker import work_on
from synkro.jobs.reports.handover import Directory
from synkro.models import CrmLossReason, CrmPipeline, CrmStage, Tenant
from synkro.services.connections import crm, trials
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.web_client import Enter

STAGES = [
    Stage(1, 10, "Sales", "New", 1),
    Stage(1, 142, "Sales", "Won"),
    Stage(2, 20, "Service", "Call"),
    Stage(2, 142, "Service", "Paid"),
]
REASONS = {5: "Too dear", 6: "Silence"}


def known(model: type[CrmPipeline | CrmStage | CrmLossReason]) -> list[tuple[str, bool]]:
    rows = db.session.execute(select(model.name, model.is_active).order_by(model.name))
    return [(name, is_active) for name, is_active in rows]


def test_names_are_kept_and_shown_in_the_vendors_order(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        crm.keep(7, [*STAGES[2:], *STAGES[:2]], REASONS)
        assert [(one.name, one.stages) for one in crm.pipelines()] == [
            ("Service", ("Call", "Paid")),
            ("Sales", ("New", "Won")),
        ]
        assert crm.refreshed_at() is not None
        assert known(CrmLossReason) == [("Silence", True), ("Too dear", True)]


def test_what_is_gone_is_marked_and_still_named(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        crm.keep(7, STAGES, REASONS)
        crm.keep(7, STAGES[:1], {5: "Too dear"})
        assert known(CrmPipeline) == [("Sales", True), ("Service", False)]
        assert known(CrmStage) == [("Call", False), ("New", True), ("Paid", False), ("Won", False)]
        assert known(CrmLossReason) == [("Silence", False), ("Too dear", True)]
        assert [one.name for one in crm.pipelines()] == ["Sales"]
        assert crm.stage_names(7)[2, 20] == "Call"


def test_what_comes_back_is_there_again_under_its_new_name(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        crm.keep(7, STAGES, REASONS)
        crm.keep(7, STAGES[:2], REASONS)
        crm.keep(7, [*STAGES[:2], Stage(2, 20, "After sales", "Ring up")], REASONS)
        assert [(one.name, one.stages) for one in crm.pipelines()] == [
            ("Sales", ("New", "Won")),
            ("After sales", ("Ring up",)),
        ]


def test_an_empty_list_says_nothing(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        crm.keep(7, STAGES, REASONS)
        crm.keep(7, [], {})
        assert [one.name for one in crm.pipelines()] == ["Sales", "Service"]
        assert known(CrmLossReason) == [("Silence", True), ("Too dear", True)]


def test_a_row_that_comes_twice_is_taken_once(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        crm.keep(7, [*STAGES, *STAGES], REASONS)
        assert db.session.execute(select(func.count()).select_from(CrmStage)).scalar_one() == len(STAGES)


def test_another_account_takes_the_place_of_the_first(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        crm.keep(7, STAGES, REASONS)
        crm.keep(8, STAGES[:2], {})
        assert [one.name for one in crm.pipelines()] == ["Sales"]
        assert set(crm.stage_names(8)) == {(1, 10), (1, 142)}
        assert len(crm.stage_names(7)) == len(STAGES)


def test_companies_do_not_share_names(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        crm.keep(7, STAGES, REASONS)
    with tenant_scope(other_tenant.id):
        crm.keep(7, STAGES[:1], {})
        assert len(crm.stage_names(7)) == 1
    with tenant_scope(tenant.id):
        assert [one.name for one in crm.pipelines()] == ["Sales", "Service"]


def test_a_large_account_is_written_in_a_few_statements(tenant: Tenant) -> None:
    many = [Stage(pipeline, stage, f"P{pipeline}", f"S{stage}") for pipeline in range(50) for stage in range(100)]
    said: list[str] = []
    listen = (db.engine, "before_cursor_execute", lambda _c, _cur, text, *_: said.append(text))
    event.listen(*listen)
    try:
        with tenant_scope(tenant.id):
            crm.keep(7, many, {})
            assert len(crm.stage_names(7)) == 5_000
    finally:
        event.remove(*listen)
    assert len([text for text in said if text.startswith("INSERT INTO crm_stages")]) <= 6


@pytest.mark.parametrize(
    ("asked", "name"), [((1, 10), "Now"), ((2, 20), "Earlier"), ((9, 9), "#9"), ((1, 11), "Nameless once")]
)
def test_a_report_names_a_stage_by_what_is_known(asked: tuple[int, int], name: str) -> None:
    stages = (Stage(1, 10, "Sales", "Now"), Stage(1, 11, "Sales", ""))
    earlier = {(1, 10): "Before", (2, 20): "Earlier", (1, 11): "Nameless once"}
    assert Directory(7, {}, stages, earlier).stage_name(*asked) == name


def test_every_run_renews_the_copy_without_a_call_more(practice: Practice) -> None:
    assert practice.run().status == "succeeded"
    with tenant_scope(practice.tenant.id):
        assert [one.name for one in crm.pipelines()] == [one.name for one in practice.world.pipelines]
        assert {name for name, _ in known(CrmLossReason)} == {one.name for one in practice.world.loss_reasons}
    asked = [entry["path"] for entry in practice.look("amocrm", "/__requests")]
    assert asked.count("/api/v4/leads/pipelines") == asked.count("/api/v4/leads/loss_reasons") == 1


def test_the_button_renews_the_copy_and_the_page_lists_it(app: Flask, practice: Practice, enter: Enter) -> None:
    browser = enter("settings")
    browser.send("/settings/amocrm/check")
    work_on(app, queue.CHECKS, burst=True)
    browser.send("/settings/amocrm/try/names")
    work_on(app, queue.TRIALS, burst=True)
    with tenant_scope(practice.tenant.id):
        trial = trials.latest("amocrm", "names")
        assert trial is not None
        assert_has(trial, colour="green", code="amocrm_names_ok")
        assert trial.params["pipelines"] == len(practice.world.pipelines)
    page = browser.get("/settings/amocrm").text
    for pipeline in practice.world.pipelines:
        assert pipeline.name in page
        assert all(status.name in page for status in pipeline.statuses)
