"""A run on its page: the block that renews itself, its facts as JSON, the buttons."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event

from synkro.models import JobRun, Tenant
from synkro.models.plan import PLAN
from synkro.models.states import RunStatus, StepStatus, TenantStatus
from synkro.services.reports import artifacts, runs
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_entries, assert_has
from tests.support.rows import make_report, make_run, set_step
from tests.support.web_client import Browser, Enter

JSON = {"Accept": "application/json"}
NOW = datetime.now(UTC)


@pytest.fixture
def run_id(tenant: Tenant) -> uuid.UUID:
    return make_run(tenant)


@pytest.fixture
def user(enter: Enter) -> Browser:
    return enter("user")


@contextmanager
def statements_of(app: Flask) -> Iterator[list[str]]:
    said: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        said.append(statement)

    event.listen(db.engine, "before_cursor_execute", listen)
    yield said
    event.remove(db.engine, "before_cursor_execute", listen)


def test_look_asks_the_runs_tables_once(app: Flask, user: Browser, run_id: uuid.UUID) -> None:
    with statements_of(app) as said:
        assert user.get(f"/runs/{run_id}/steps").status_code == 200
    assert len([one for one in said if "job_" in one]) == 1


def test_look_is_a_block_that_looks_again(user: Browser, run_id: uuid.UUID) -> None:
    block = user.get(f"/runs/{run_id}/steps", headers={"HX-Request": "true"}).text
    assert "<html" not in block
    assert re.search(rf'hx-get="/runs/{run_id}/steps"\s+hx-trigger="every 2s"', block)
    assert block.count('<li class="step"') == len(PLAN)


def test_same_state_is_not_sent_twice(user: Browser, run_id: uuid.UUID) -> None:
    first = user.get(f"/runs/{run_id}/steps")
    again = user.get(f"/runs/{run_id}/steps", headers={"If-None-Match": first.headers["ETag"]})
    assert_has(again, status_code=304, data=b"")
    assert again.headers["ETag"] == first.headers["ETag"]


def test_another_language_is_sent(user: Browser, run_id: uuid.UUID) -> None:
    mark = user.get(f"/runs/{run_id}/steps", headers={"Accept-Language": "ru"}).headers["ETag"]
    again = user.get(f"/runs/{run_id}/steps", headers={"Accept-Language": "en", "If-None-Match": mark})
    assert again.status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"done": 5},
        {"total": 50},
        {"attempts": 2},
        {"status": StepStatus.RUNNING},
        {"code": "step_died"},
        {"params": {"rows": 3}},
        {"colour": "yellow"},
    ],
)
def test_changed_state_is_sent(user: Browser, tenant: Tenant, run_id: uuid.UUID, change: dict[str, object]) -> None:
    mark = user.get(f"/runs/{run_id}/steps").headers["ETag"]
    set_step(tenant, run_id, 1, **change)
    assert user.get(f"/runs/{run_id}/steps", headers={"If-None-Match": mark}).status_code == 200


def test_block_is_no_answer_for_a_program(user: Browser, run_id: uuid.UUID) -> None:
    mark = user.get(f"/runs/{run_id}/steps").headers["ETag"]
    answer = user.get(f"/runs/{run_id}/steps", headers={"If-None-Match": mark, **JSON})
    assert answer.status_code == 200
    assert "Accept" in answer.headers["Vary"]


def test_facts_for_programs(user: Browser, tenant: Tenant, run_id: uuid.UUID) -> None:
    set_step(tenant, run_id, 1, status=StepStatus.RUNNING, done=3, total=9, attempts=1)
    facts = user.get(f"/runs/{run_id}/steps", headers=JSON).get_json()
    assert_entries(facts, id=str(run_id), status="queued", report=None)
    assert [step["key"] for step in facts["steps"]][:2] == ["fetch_amocrm", "write_leads"]
    first = {name: facts["steps"][0][name] for name in ("n", "status", "done", "total", "attempts")}
    assert first == {"n": 1, "status": "running", "done": 3, "total": 9, "attempts": 1}


def test_report_is_told_when_it_is_there(user: Browser, tenant: Tenant) -> None:
    report_id = make_report(tenant)
    with tenant_scope(tenant.id):
        run = runs.latest()
        assert run is not None
    assert user.get(f"/runs/{run.id}/steps", headers=JSON).get_json()["report"] == str(report_id)
    assert f'href="/reports/{report_id}"' in user.get(f"/runs/{run.id}/steps").text


def test_signed_out_look_leads_to_the_door(client: Browser, run_id: uuid.UUID) -> None:
    answer = client.get(f"/runs/{run_id}/steps", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login"


def test_waits_longer_between_looks_while_a_step_waits(user: Browser, tenant: Tenant, run_id: uuid.UUID) -> None:
    set_step(tenant, run_id, 1, attempts=1, code="step_died", ready_at=NOW + timedelta(minutes=5))
    assert 'hx-trigger="every 10s"' in user.get(f"/runs/{run_id}/steps").text


@pytest.mark.parametrize("status", [RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.SKIPPED])
def test_ended_run_is_not_looked_at_again(user: Browser, tenant: Tenant, status: RunStatus) -> None:
    run_id = make_run(tenant, status=status)
    assert "hx-get" not in user.get(f"/runs/{run_id}").text


def test_failed_run_says_why_and_offers_to_go_on(user: Browser, tenant: Tenant) -> None:
    run_id = make_run(tenant, status=RunStatus.FAILED, code="amocrm_not_connected")
    set_step(tenant, run_id, 1, status=StepStatus.FAILED, colour="red", code="amocrm_not_connected")
    page = user.get(f"/runs/{run_id}").text
    assert "amoCRM is not connected: there is nowhere to take deals from." in page
    assert f'action="/runs/{run_id}/resume"' in page


def test_hostile_fault_is_text(user: Browser, tenant: Tenant, run_id: uuid.UUID) -> None:
    set_step(tenant, run_id, 1, code="<script>alert(1)</script>")
    page = user.get(f"/runs/{run_id}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_stop(user: Browser, tenant: Tenant, run_id: uuid.UUID) -> None:
    assert user.send(f"/runs/{run_id}/stop").location == f"/runs/{run_id}"
    assert status_of(tenant, run_id) == "cancelled"
    assert user.send(f"/runs/{run_id}/stop").status_code == 303  # a second press is no error


def test_resume(user: Browser, tenant: Tenant) -> None:
    run_id = make_run(tenant, status=RunStatus.FAILED)
    set_step(tenant, run_id, 1, status=StepStatus.FAILED, colour="red", code="step_died")
    assert user.send(f"/runs/{run_id}/resume").location == f"/runs/{run_id}"
    assert status_of(tenant, run_id) == "queued"


def test_what_retention_has_taken_is_not_continued(user: Browser, tenant: Tenant) -> None:
    run_id = make_run(tenant, status=RunStatus.FAILED, code="pages_deleted")
    set_step(tenant, run_id, 1, status=StepStatus.DONE)
    set_step(tenant, run_id, 2, status=StepStatus.FAILED, colour="red", code="pages_deleted")
    page = user.get(f"/runs/{run_id}").text
    assert "/resume" not in page
    assert "make a new report for this period" in page


def test_resume_waits_for_another_run(user: Browser, tenant: Tenant) -> None:
    failed = make_run(tenant, status=RunStatus.FAILED)
    make_run(tenant)
    assert user.send(f"/runs/{failed}/resume").status_code == 409


@pytest.fixture
def in_doubt(tenant: Tenant) -> uuid.UUID:
    """A run whose report may have arrived in the group, or not."""
    make_report(tenant)
    with tenant_scope(tenant.id):
        run = runs.latest()
        assert run is not None
        artifacts.put(run.id, artifacts.FINAL, 0, [{}], {})
        db.session.commit()
    set_step(tenant, run.id, 8, colour="yellow", code="telegram_unknown")
    return run.id


def pause(tenant: Tenant) -> None:
    tenant.status = TenantStatus.PAUSED
    db.session.commit()


@pytest.mark.parametrize("code", ["telegram_unknown", "telegram_earlier_unknown"])
def test_what_may_not_have_arrived_can_be_sent_again_after_a_question(
    user: Browser, tenant: Tenant, in_doubt: uuid.UUID, code: str
) -> None:
    set_step(tenant, in_doubt, 8, code=code)
    page = user.get(f"/runs/{in_doubt}").text
    question = page.partition("<dialog")[2].partition("</dialog>")[0]
    assert f'action="/runs/{in_doubt}/send-again"' in question
    assert "a second time" in question
    assert user.send(f"/runs/{in_doubt}/send-again").location == f"/runs/{in_doubt}"
    assert steps_of(tenant, in_doubt) == ["done"] * (len(PLAN) - 1) + ["ready"]


def test_a_second_press_sends_nothing_more(user: Browser, in_doubt: uuid.UUID) -> None:
    answers = [user.send(f"/runs/{in_doubt}/send-again").status_code for _ in range(2)]
    assert answers == [303, 409]


def test_what_retention_has_taken_is_not_sent_again(user: Browser, tenant: Tenant, in_doubt: uuid.UUID) -> None:
    with tenant_scope(tenant.id):
        artifacts.forget(in_doubt, (artifacts.FINAL,))
        db.session.commit()
    answer = user.send(f"/runs/{in_doubt}/send-again")
    assert answer.status_code == 409
    assert "it stays here only" in answer.text


@pytest.mark.parametrize("code", [None, "telegram_plain", "held_for_review"])
def test_what_arrived_is_not_sent_again(user: Browser, tenant: Tenant, in_doubt: uuid.UUID, code: str | None) -> None:
    set_step(tenant, in_doubt, 8, code=code)
    assert "send-again" not in user.get(f"/runs/{in_doubt}").text
    assert user.send(f"/runs/{in_doubt}/send-again").status_code == 409
    assert status_of(tenant, in_doubt) == "succeeded"


def test_a_paused_company_does_not_continue_a_run(user: Browser, tenant: Tenant) -> None:
    run_id = make_run(tenant, status=RunStatus.FAILED)
    set_step(tenant, run_id, 1, status=StepStatus.FAILED, colour="red", code="step_died")
    pause(tenant)
    page = user.get(f"/runs/{run_id}").text
    assert "/resume" not in page
    assert "The company is paused: no reports are made" in page
    assert user.send(f"/runs/{run_id}/resume").status_code == 409
    assert status_of(tenant, run_id) == "failed"


def test_a_paused_company_does_not_send_again(user: Browser, tenant: Tenant, in_doubt: uuid.UUID) -> None:
    pause(tenant)
    page = user.get(f"/runs/{in_doubt}").text
    assert "/send-again" not in page
    assert "The company is paused: no reports are made" in page
    assert user.send(f"/runs/{in_doubt}/send-again").status_code == 409


def test_what_is_worth_knowing_stands_behind_the_count(user: Browser, tenant: Tenant, run_id: uuid.UUID) -> None:
    done = {"status": StepStatus.DONE, "colour": "green", "done": 30}
    set_step(tenant, run_id, 1, **done, params={"notices": ["amocrm_filter_off", "amocrm_managers_hidden"]})
    row = user.get(f"/runs/{run_id}").text
    filter_off = "The filter add-on is not connected in amoCRM. Deals are read in another way, slower."
    managers = "amoCRM does not show the names of the managers to this token."
    assert f"Deals: 30. {filter_off} {managers}" in row


def test_what_is_worth_knowing_stands_behind_a_remark(user: Browser, tenant: Tenant, in_doubt: uuid.UUID) -> None:
    set_step(tenant, in_doubt, 8, params={"lines": 7, "notices": ["telegram_shortened"]})
    said = "Look into the group first. The report was too long for the group. Lines that stand in the cabinet only: 7."
    assert said in user.get(f"/runs/{in_doubt}").text


@pytest.mark.parametrize("act", ["stop", "resume", "send-again"])
def test_strangers_can_not_touch_it(enter: Enter, tenant: Tenant, run_id: uuid.UUID, act: str) -> None:
    assert enter("other").send(f"/runs/{run_id}/{act}").status_code == 404
    assert status_of(tenant, run_id) == "queued"


def status_of(tenant: Tenant, run_id: uuid.UUID) -> str:
    with tenant_scope(tenant.id):
        return db.session.get_one(JobRun, run_id).status


def steps_of(tenant: Tenant, run_id: uuid.UUID) -> list[str]:
    with tenant_scope(tenant.id):
        return [step.status for step in runs.steps_of(run_id)]
