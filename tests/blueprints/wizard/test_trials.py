"""Trying out: one at a time, in a worker, its result sealed, its outcome kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from sqlalchemy import func, select, text

from synkro.analysis.figures.window import Window
from synkro.errors import AppError
from synkro.infra import clock, queue
from synkro.integrations import INTEGRATIONS
from synkro.integrations.base import SAMPLE, Act
from synkro.jobs.connections.acts import ACTS, act_of
from synkro.jobs.engine.worker import work_on
from synkro.models import Tenant, Trial
from synkro.models.states import RunStatus
from synkro.sandbox.supabase.errors import PgError
from synkro.sandbox.supabase.tables import Row, Table
from synkro.services.connections import integrations, setup, trials
from synkro.services.connections.trials import PATIENCE_SECONDS, WAITING_SECONDS
from synkro.tenancy import db, system_scope, tenant_scope
from tests.conftest import redis_away
from tests.support.having import assert_entries, assert_has
from tests.support.practice import Practice
from tests.support.runs_by_hand import at_once


def tried(practice: Practice, kind: str, act: str) -> Trial:
    """Asked for, and made by a worker."""
    with tenant_scope(practice.tenant.id):
        trials.request(kind, act)
    work_on(practice.app, queue.TRIALS, burst=True)
    with tenant_scope(practice.tenant.id):
        trial = trials.latest(kind, act)
        assert trial is not None
        return trial


def how_many() -> int:
    with system_scope("test: count"):
        return db.session.execute(select(func.count()).select_from(Trial)).scalar_one()


def test_twenty_presses_at_once_make_one(practice: Practice, store: Redis) -> None:
    at_once(practice.app, practice.tenant, 20, lambda _number: trials.request("amocrm", SAMPLE))
    assert how_many() == 1
    assert queue.queue(queue.TRIALS, store).count == 1


def test_the_deals_that_were_shown_are_the_deals_that_are_written(practice: Practice) -> None:
    shown = tried(practice, "amocrm", SAMPLE)
    assert_has(shown, colour="green", code="amocrm_sample_ok")
    practice.control("amocrm", set={"revoked": True})  # nothing is asked for anew
    written = tried(practice, "amocrm", "write")
    assert_has(written, colour="green", code="write_ok")
    with tenant_scope(practice.tenant.id):
        found = trials.result(shown)
    assert found is not None
    assert {row["lead_id"] for row in practice.rows("synkro_leads")} == {lead["id"] for lead in found["leads"]}


@pytest.mark.parametrize(("taken", "code"), [(0, "supabase_tables_differ"), (1, "supabase_row_refused")])
def test_tables_that_take_nothing_are_told_from_a_single_bad_row(
    practice: Practice, monkeypatch: pytest.MonkeyPatch, taken: int, code: str
) -> None:
    shown = tried(practice, "amocrm", SAMPLE)
    with tenant_scope(practice.tenant.id):
        found = trials.result(shown)
    assert found is not None
    good = [lead["id"] for lead in found["leads"][:taken]]

    def refuse(_table: Table, row: Row) -> None:
        if "lead_id" in row and row["lead_id"] not in good:
            raise PgError(400, "23514", "violates check constraint")

    monkeypatch.setattr(Table, "_refuse_missing", refuse)
    trial = tried(practice, "amocrm", "write")
    assert_has(trial, colour="red", code=code)
    assert "%(" not in trials.says(trial)


def test_nothing_is_written_before_something_was_shown(practice: Practice) -> None:
    assert tried(practice, "amocrm", "write").code == "sample_first"
    assert practice.rows("synkro_leads") == []


def test_a_vendor_that_fails_gives_its_own_words(practice: Practice) -> None:
    practice.control("amocrm", set={"paid": False})
    trial = tried(practice, "amocrm", SAMPLE)
    assert_has(trial, colour="red", code="amocrm_unpaid")
    assert trials.says(trial) != trial.code


def test_a_bug_is_red_and_gives_nothing_away(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_trial: Trial) -> None:
        raise ValueError("+7 701 555 14 08")

    monkeypatch.setitem(ACTS["amocrm"], SAMPLE, broken)  # type: ignore[arg-type]
    trial = tried(practice, "amocrm", SAMPLE)
    assert_has(trial, colour="red", code="internal", params={}, result="")


def test_what_customers_wrote_lies_sealed(practice: Practice) -> None:
    trial = tried(practice, "amocrm", SAMPLE)
    with tenant_scope(practice.tenant.id):
        found = trials.result(trial)
        raw = db.session.execute(text("select t::text from trials t")).scalar_one()
    assert found is not None
    for lead in found["leads"]:
        assert lead["name"] not in raw


def test_only_the_newest_result_is_kept(practice: Practice) -> None:
    first, second = tried(practice, "amocrm", SAMPLE), tried(practice, "amocrm", SAMPLE)
    with tenant_scope(practice.tenant.id):
        db.session.refresh(first := db.session.merge(first))
        assert first.result == ""
        assert second.result != ""


def test_old_results_are_forgotten_and_the_rows_stay(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    tried(practice, "amocrm", SAMPLE)
    later = clock.now() + timedelta(days=31)
    monkeypatch.setattr("synkro.infra.clock.now", lambda: later)
    with system_scope("test: purge"):
        trials.purge(30)
        assert db.session.execute(text("select result from trials")).scalars().all() == [""]


def test_another_company_sees_nothing_of_it(practice: Practice, other_tenant: Tenant) -> None:
    tried(practice, "amocrm", SAMPLE)
    with tenant_scope(other_tenant.id):
        assert trials.latest("amocrm", SAMPLE) is None
        assert trials.latest_of("amocrm") == {}


@pytest.mark.parametrize("seconds", [WAITING_SECONDS - 5, WAITING_SECONDS + 5])
def test_one_that_no_worker_takes_makes_room(practice: Practice, monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    with tenant_scope(practice.tenant.id):
        first = trials.request("amocrm", SAMPLE).id
        later = clock.now() + timedelta(seconds=seconds)
        monkeypatch.setattr("synkro.infra.clock.now", lambda: later)
        second = trials.request("amocrm", SAMPLE).id
        assert (first != second) is (seconds > WAITING_SECONDS)
        if first != second:
            assert db.session.get_one(Trial, first, populate_existing=True).code == "no_worker"


def test_one_whose_worker_died_makes_room(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    with tenant_scope(practice.tenant.id):
        trial = trials.begin(trials.request("amocrm", SAMPLE).id)
        assert trial is not None
        assert trials.state(trial) == "running"
        later = clock.now() + timedelta(seconds=Act(SAMPLE).seconds + PATIENCE_SECONDS + 1)
        monkeypatch.setattr("synkro.infra.clock.now", lambda: later)
        assert trials.state(trial) == "lost"
        assert trials.request("amocrm", SAMPLE).id != trial.id


def test_a_late_answer_does_not_change_what_was_given_up(practice: Practice) -> None:
    with tenant_scope(practice.tenant.id):
        trial = trials.request("amocrm", SAMPLE)
        trials.finish(trial, "red", "check_lost")
        trials.finish(trial, "green", "amocrm_sample_ok")
        assert db.session.get_one(Trial, trial.id, populate_existing=True).code == "check_lost"


def test_two_workers_do_not_make_the_same_one(practice: Practice) -> None:
    with tenant_scope(practice.tenant.id):
        trial = trials.request("amocrm", SAMPLE)
        assert trials.begin(trial.id) is not None
        assert trials.begin(trial.id) is None


def test_without_redis_it_says_so_and_can_be_asked_again(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synkro.services.connections.trials.redis", redis_away)
    with tenant_scope(practice.tenant.id):
        for _ in range(2):
            with pytest.raises(AppError) as caught:
                trials.request("amocrm", SAMPLE)
            assert_has(caught.value, status=503, code="queue_away")


def test_what_cannot_be_tried_is_refused(practice: Practice) -> None:
    with tenant_scope(practice.tenant.id), pytest.raises(AppError) as caught:
        trials.request("amocrm", "drop table")
    assert caught.value.status == 404


def test_every_act_that_can_be_asked_for_exists() -> None:
    for kind, cls in INTEGRATIONS.items():
        for name in {SAMPLE, *(act.name for act in cls.acts)}:
            assert callable(act_of(kind, name))


Look = Callable[[], str]


@pytest.fixture
def amocrm_state(practice: Practice) -> Look:
    def look() -> str:
        with tenant_scope(practice.tenant.id):
            return next(step.state for step in setup.steps() if step.kind == "amocrm")

    return look


def checked(practice: Practice, colour: str = "green") -> None:
    with tenant_scope(practice.tenant.id):
        config = integrations.find("amocrm")
        assert config is not None
        config.check_colour, config.check_code, config.checked_at = colour, "amocrm_ok", clock.now()
        db.session.commit()


def test_a_step_is_done_once_its_purpose_was_seen(practice: Practice, amocrm_state: Look) -> None:
    assert amocrm_state() == "saved"
    checked(practice)
    assert amocrm_state() == "unproved"
    tried(practice, "amocrm", SAMPLE)
    tried(practice, "amocrm", "write")
    assert amocrm_state() == "done"


def test_a_run_that_wrote_is_proof_as_well(practice: Practice, amocrm_state: Look) -> None:
    practice.run()
    checked(practice)
    assert amocrm_state() == "done"


def test_a_run_that_had_nothing_to_write_proves_nothing(practice: Practice, amocrm_state: Look) -> None:
    long_ago = Window(datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 1, 2, tzinfo=UTC))
    run = practice.run(long_ago)
    assert run.status == RunStatus.SUCCEEDED
    assert practice.rows("synkro_leads") == []
    checked(practice)
    assert amocrm_state() == "unproved"


@pytest.mark.parametrize("kind", [kind for kind, cls in INTEGRATIONS.items() if cls.proof])
def test_a_run_that_wrote_and_sent_proves_each_connection(practice: Practice, kind: str) -> None:
    practice.run()
    with tenant_scope(practice.tenant.id):
        assert trials.is_proved(kind, None)


def test_a_report_of_an_empty_period_that_arrived_proves_the_group(practice: Practice) -> None:
    practice.run(Window(datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 1, 2, tzinfo=UTC)))
    assert practice.sent()
    with tenant_scope(practice.tenant.id):
        assert [trials.is_proved(kind, None) for kind in ("amocrm", "radist", "telegram")] == [False, False, True]


def test_another_key_has_to_prove_itself_again(practice: Practice, amocrm_state: Look) -> None:
    practice.run()
    with tenant_scope(practice.tenant.id):
        integrations.save("amocrm", {"token": "another-one"})
    assert amocrm_state() == "saved"
    checked(practice)
    assert amocrm_state() == "unproved"


def test_rows_in_one_supabase_project_prove_nothing_about_another(practice: Practice, amocrm_state: Look) -> None:
    practice.run()
    checked(practice)
    with tenant_scope(practice.tenant.id):
        integrations.save("supabase", {"url": "https://another-project.supabase.co"})
    assert amocrm_state() == "unproved"


def test_a_renewed_key_of_supabase_takes_no_proof_away(practice: Practice, amocrm_state: Look) -> None:
    practice.run()
    checked(practice)
    with tenant_scope(practice.tenant.id):
        integrations.save("supabase", {"secret_key": "another-one"})
    assert amocrm_state() == "done"


def test_a_remark_of_a_check_is_no_fault(practice: Practice, amocrm_state: Look) -> None:
    practice.run()
    checked(practice, "yellow")
    assert amocrm_state() == "remark"


def test_steps_open_in_the_order_of_their_needs(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        states = {step.kind: step.state for step in setup.steps()}
    assert_entries(states, supabase="empty", amocrm="locked", radist="locked")


def test_a_step_that_was_set_up_stays_open_when_an_earlier_one_breaks(practice: Practice, amocrm_state: Look) -> None:
    with tenant_scope(practice.tenant.id):
        config = integrations.find("supabase")
        assert config is not None
        config.check_colour, config.check_code = "red", "supabase_paused"
        db.session.commit()
    assert amocrm_state() == "saved"
