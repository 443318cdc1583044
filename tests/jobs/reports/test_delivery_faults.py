"""Faults of Telegram in a run: the report is kept, told and never sent twice."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from synkro.models import Delivery, JobRun, JobStep
from synkro.models.plan import StepKey
from synkro.models.states import DeliveryStatus, RunStatus
from synkro.services.connections import integrations
from synkro.services.reports import runs
from synkro.tenancy import db, tenant_scope
from tests.support.faulty_runs import assert_red, assert_told, assert_yellow, ran, worked_out
from tests.support.faulty_runs import quick as quick  # noqa: PLC0414 (a fixture)
from tests.support.practice import Practice

TELEGRAM = {
    "revoke_token": "telegram_token_refused",  # 401
    "kicked": "telegram_removed",  # 403
    "not_member": "telegram_removed",
    "group_deleted": "telegram_removed",
    "blocked": "telegram_blocked",
    "no_rights": "telegram_no_rights",
    "restart": "server_error",
    "flood": "busy",
}


@pytest.mark.parametrize(("fault", "code"), TELEGRAM.items())
def test_telegram_refuses_and_the_report_is_kept(practice: Practice, fault: str, code: str) -> None:
    practice.control("telegram", fault=fault, times=-1)
    assert_red(practice, StepKey.NOTIFY_TELEGRAM, code)
    assert len(practice.rows("synkro_reports")) == 1
    assert practice.sent() == []


def test_a_flood_limit_of_centuries_is_not_waited_for(practice: Practice) -> None:
    practice.control("telegram", fault="flood", value=99_999_999_999)
    run, _ = ran(practice)
    assert run.status == RunStatus.SUCCEEDED
    assert len(practice.sent()) == 1


def test_a_lost_answer_of_telegram_is_told_and_not_sent_again(practice: Practice) -> None:
    practice.control("telegram", fault="drop_after", path="/sendMessage")
    assert_yellow(practice, StepKey.NOTIFY_TELEGRAM, "telegram_unknown")
    assert len(practice.sent()) == 1


def test_formatting_that_telegram_refuses_is_left_out(practice: Practice) -> None:
    practice.control("telegram", fault="parse_error")
    assert_yellow(practice, StepKey.NOTIFY_TELEGRAM, "telegram_plain")
    assert len(practice.sent()) == 1


def again(practice: Practice, run: JobRun, key: StepKey | None = None) -> tuple[JobRun, dict[str, JobStep]]:
    with tenant_scope(practice.tenant.id):
        found = runs.find(run.id)
        assert found is not None
        runs.resume(found, key)
    return worked_out(practice, run.id)


class TestAGroupThatHasMoved:
    @pytest.fixture
    def moved(self, practice: Practice) -> JobRun:
        practice.control("telegram", fault="migrate")
        run, steps = ran(practice)
        assert_told(steps[StepKey.NOTIFY_TELEGRAM], "yellow", "telegram_migrated")
        return run

    @pytest.mark.usefixtures("moved")
    def test_gets_the_report_once(self, practice: Practice) -> None:
        assert [message["chat"]["id"] for message in practice.sent()] == [-1002000000002]

    @pytest.mark.usefixtures("moved")
    def test_is_kept_in_the_settings(self, practice: Practice) -> None:
        with tenant_scope(practice.tenant.id):
            config = integrations.find("telegram")
            assert config is not None
            assert config.settings["chat_id"] == "-1002000000002"

    def test_does_not_get_the_same_report_again_under_its_new_id(self, practice: Practice, moved: JobRun) -> None:
        again(practice, moved, StepKey.NOTIFY_TELEGRAM)
        assert len(practice.sent()) == 1

    @pytest.mark.usefixtures("moved")
    def test_gets_the_next_report(self, practice: Practice) -> None:
        ran(practice)
        assert [message["chat"]["id"] for message in practice.sent()] == [-1002000000002] * 2


def test_a_failed_delivery_is_sent_once_when_it_is_continued(practice: Practice) -> None:
    practice.control("telegram", fault="kicked")
    run, _ = ran(practice)
    assert run.status == RunStatus.FAILED
    run, steps = again(practice, run)
    assert run.status == RunStatus.SUCCEEDED
    assert steps[StepKey.NOTIFY_TELEGRAM].colour == "green"
    assert len(practice.sent()) == 1


def test_a_report_that_arrived_is_not_sent_again(practice: Practice) -> None:
    run, _ = ran(practice)
    again(practice, run, StepKey.NOTIFY_TELEGRAM)
    assert len(practice.sent()) == 1


def test_a_person_who_has_looked_may_send_what_nobody_knows_of(practice: Practice) -> None:
    practice.control("telegram", fault="drop", path="/sendMessage")
    run, _ = ran(practice)
    assert practice.sent() == []
    _, steps = again(practice, run, StepKey.NOTIFY_TELEGRAM)
    assert steps[StepKey.NOTIFY_TELEGRAM].colour == "green"
    assert len(practice.sent()) == 1


def test_an_earlier_step_does_not_resend_what_nobody_knows_of(practice: Practice) -> None:
    practice.control("telegram", fault="drop_after", path="/sendMessage")
    run, _ = ran(practice)
    _, steps = again(practice, run, StepKey.PERSIST_REPORT)
    assert_told(steps[StepKey.NOTIFY_TELEGRAM], "yellow", "telegram_earlier_unknown")
    assert len(practice.sent()) == 1


def test_what_was_delivered_is_written_down(practice: Practice) -> None:
    ran(practice)
    with tenant_scope(practice.tenant.id):
        rows = db.session.execute(select(Delivery)).scalars().all()
    sent = practice.sent()
    assert [(row.status, row.message_id) for row in rows] == [(DeliveryStatus.SENT, sent[0]["message_id"])]
