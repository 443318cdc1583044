from __future__ import annotations

from synkro.models.plan import PLAN
from synkro.models.states import RunStatus, StepStatus
from synkro.services.reports import reports
from synkro.tenancy import tenant_scope
from tests.support.practice import Practice


def test_a_run_ends_with_every_step_green(practice: Practice) -> None:
    run = practice.run()
    _, steps = practice.state(run.id)
    assert run.status == RunStatus.SUCCEEDED
    assert [(step.status, step.colour, step.code) for step in steps] == [(StepStatus.DONE, "green", None)] * len(PLAN)


def test_a_run_leaves_its_rows_in_the_clients_database(practice: Practice) -> None:
    practice.run()
    counts = {
        table: len(practice.rows(f"synkro_{table}")) for table in ("leads", "contacts", "chats", "messages", "reports")
    }
    assert counts["reports"] == 1
    assert min(counts.values()) > 0


def test_the_report_is_in_the_cabinet_and_in_the_group(practice: Practice) -> None:
    run = practice.run()
    with tenant_scope(practice.tenant.id):
        report = reports.find(reports.id_for(run.id))
    assert report is not None
    assert report.summary
    assert len(practice.sent()) == 1
