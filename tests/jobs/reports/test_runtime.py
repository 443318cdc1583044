"""How a try of a step ends: done, back to wait, or failed; always in a code and never in a trace."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis
from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import OperationalError

from synkro.infra import queue
from synkro.integrations.errors import Busy, Nonsense, Refused, Unreachable
from synkro.jobs.engine.worker import Worker
from synkro.jobs.reports import runtime
from synkro.jobs.reports.runtime import Stopping, work
from synkro.jobs.reports.step import Ctx, Done, Step
from synkro.models import JobStep, Tenant
from synkro.models.plan import BY_KEY, PLAN, StepKey
from synkro.models.states import RunStatus
from synkro.services.reports import runs
from synkro.services.shared.wording import sentence
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_has
from tests.support.runs_by_hand import KEYS, begin, expire, state

FIRST = KEYS[0]
Replace = Callable[..., None]


class Acting(Step):
    """A step that does what a test says."""

    key = FIRST

    def __init__(self, act: Callable[[Ctx], Done]) -> None:
        self.act = act

    def run(self, ctx: Ctx) -> Done:
        return self.act(ctx)


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Ctx], Done]], None]:
    return lambda act: monkeypatch.setitem(runtime.STEPS, FIRST, Acting(act))


@pytest.fixture
def failing(acting: Replace) -> Callable[[BaseException], None]:
    def with_error(error: BaseException) -> None:
        def act(_: Ctx) -> Done:
            raise error

        acting(act)

    return with_error


def worked(tenant: Tenant, run_id: uuid.UUID) -> JobStep:
    """The first step after one try, its waiting time taken away before."""
    with tenant_scope(tenant.id):
        runs.steps_of(run_id)[0].ready_at = datetime.now(UTC)
        db.session.commit()
    work(str(tenant.id), str(run_id), FIRST)
    return state(tenant, run_id)[1][0]


def pause_of(step: JobStep) -> float:
    assert step.ready_at is not None
    return (step.ready_at - datetime.now(UTC)).total_seconds()


def queue_state(store: Redis) -> list[list[Any]]:
    return [list(job.args) for job in queue.queue(queue.STEPS, store).jobs]


def test_a_step_that_is_done_rings_for_the_next_one(tenant: Tenant, store: Redis, acting: Replace) -> None:
    acting(lambda _: Done())
    run_id = begin(tenant)
    store.flushdb()
    assert worked(tenant, run_id).status == "done"
    assert queue_state(store) == [[str(tenant.id), str(run_id), str(KEYS[1])]]


def test_a_remark_is_yellow(tenant: Tenant, acting: Replace) -> None:
    acting(lambda _: Done("rows_refused", {"rows": 3}))
    step = worked(tenant, begin(tenant))
    assert_has(step, colour="yellow", code="rows_refused")
    assert step.params["rows"] == 3


@pytest.mark.parametrize("ids", ["doubled", "stale", "foreign"])
def test_a_job_that_is_none_does_nothing(
    tenant: Tenant, other_tenant: Tenant, store: Redis, acting: Replace, ids: str
) -> None:
    tries: list[int] = []
    acting(lambda ctx: tries.append(ctx.claim.attempt) or Done())
    run_id = begin(tenant)
    whose = other_tenant if ids == "foreign" else tenant
    if ids != "foreign":
        worked(tenant, run_id)
    store.flushdb()
    work(str(whose.id), str(run_id), KEYS[3] if ids == "stale" else FIRST)
    assert tries == ([] if ids == "foreign" else [1])
    assert queue_state(store) == []


@pytest.mark.parametrize("attempt", [1, 2, 3, 4])
def test_a_passing_fault_waits_longer_each_time(tenant: Tenant, failing: Replace, attempt: int) -> None:
    failing(Unreachable("server_error", service="Radist"))
    run_id = begin(tenant)
    for _ in range(attempt):
        step = worked(tenant, run_id)
    planned = BY_KEY[FIRST].waits[attempt - 1]
    assert_has(step, status="ready", attempts=attempt, code="server_error")
    assert planned * 0.8 - 2 <= pause_of(step) <= planned * 1.2


def test_the_pauses_of_many_differ(tenant: Tenant, failing: Replace, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(Unreachable("server_error", service="Radist"))
    run_id = begin(tenant)
    worked(tenant, run_id)
    pauses = set()
    for _ in range(5):
        with tenant_scope(tenant.id):
            runs.steps_of(run_id)[0].attempts = 3
            db.session.commit()
        pauses.add(round(pause_of(worked(tenant, run_id))))
    assert len(pauses) > 1


def test_a_wait_that_the_vendor_names_is_kept(tenant: Tenant, failing: Replace) -> None:
    failing(Busy("busy", retry_after=500, service="amoCRM"))
    assert 498 <= pause_of(worked(tenant, begin(tenant))) <= 500


def test_a_vendor_can_not_put_a_run_to_sleep_for_days(tenant: Tenant, failing: Replace) -> None:
    failing(Busy("busy", retry_after=10.0**12, service="Radist"))
    assert pause_of(worked(tenant, begin(tenant))) <= 3_600


def test_a_short_wait_of_the_vendor_does_not_shorten_ours(tenant: Tenant, failing: Replace) -> None:
    failing(Busy("busy", retry_after=1, service="Radist"))
    assert pause_of(worked(tenant, begin(tenant))) >= 6


def test_used_up_tries_end_the_run(tenant: Tenant, failing: Replace) -> None:
    failing(Unreachable("server_error", service="Radist"))
    run_id = begin(tenant)
    for _ in range(BY_KEY[FIRST].most_attempts):
        step = worked(tenant, run_id)
    run, _ = state(tenant, run_id)
    assert_has(run, status=RunStatus.FAILED, code="server_error")
    assert_has(step, status="failed", colour="red", attempts=5)
    assert sentence(step.code or "", step.params).startswith("Radist")


def test_what_makes_no_sense_is_tried_once_more(tenant: Tenant, failing: Replace) -> None:
    failing(Nonsense("not_json", service="amoCRM"))
    run_id = begin(tenant)
    assert worked(tenant, run_id).status == "ready"
    step = worked(tenant, run_id)
    assert_has(step, status="failed", attempts=2)
    assert state(tenant, run_id)[0].code == "not_json"


def test_what_a_person_has_to_mend_is_not_tried_again(tenant: Tenant, failing: Replace) -> None:
    failing(Refused("amocrm_reconnect"))
    run_id = begin(tenant)
    step = worked(tenant, run_id)
    assert_has(step, status="failed", attempts=1)
    assert state(tenant, run_id)[0].code == "amocrm_reconnect"


def test_a_bug_in_a_step_ends_red_and_tells_people_nothing_of_it(tenant: Tenant, failing: Replace) -> None:
    failing(ValueError("secret sk-123 in the trace"))
    run_id = begin(tenant)
    for _ in range(BY_KEY[FIRST].most_attempts):
        step = worked(tenant, run_id)
    run, _ = state(tenant, run_id)
    assert_has(run, status=RunStatus.FAILED, code="internal")
    assert_has(step, colour="red", params={})
    assert "secret" not in sentence(step.code or "", step.params)


def test_a_step_that_takes_too_long_is_tried_again(tenant: Tenant, failing: Replace) -> None:
    failing(JobTimeoutException("too long"))
    step = worked(tenant, begin(tenant))
    assert_has(step, status="ready", code="step_too_long")


def test_the_time_limit_strikes_in_the_middle_of_a_query(tenant: Tenant, store: Redis, acting: Replace) -> None:
    def sleep(_: Ctx) -> Done:
        db.session.execute(db.text("select pg_sleep(600)"))
        return Done()

    acting(sleep)
    run_id = begin(tenant)
    store.flushdb()
    queue.enqueue(store, queue.STEPS, runs.WORK, tenant.id, run_id, FIRST, seconds=1)
    began = time.monotonic()
    burst(store)
    step = state(tenant, run_id)[1][0]
    assert_has(step, status="ready", code="step_too_long")
    assert time.monotonic() - began < 300


def burst(store: Redis) -> None:
    worker = Worker([queue.queue(queue.STEPS, store)], connection=store, serializer=queue.JSONSerializer)
    worker.work(burst=True, logging_level="CRITICAL")


def test_a_stopping_worker_gives_its_step_back_uncounted(tenant: Tenant, failing: Replace) -> None:
    failing(Stopping())
    step = worked(tenant, begin(tenant))
    assert_has(step, status="ready", attempts=0, code="worker_stopping")
    assert pause_of(step) <= 0


def test_a_database_that_goes_away_leaves_the_step_to_its_lease(tenant: Tenant, failing: Replace) -> None:
    failing(OperationalError("select", {}, Exception("gone")))
    run_id = begin(tenant)
    step = worked(tenant, run_id)
    assert step.status == "running"
    assert state(tenant, run_id)[0].status == RunStatus.RUNNING


def test_a_stop_ends_the_run_at_the_next_beat(tenant: Tenant, acting: Replace) -> None:
    def act(ctx: Ctx) -> Done:
        run = runs.find(ctx.run.id)
        assert run is not None
        runs.stop(run)
        ctx.beat(1, 2)
        pytest.fail("the work went on")

    acting(act)
    run_id = begin(tenant)
    assert worked(tenant, run_id).status == "cancelled"
    assert state(tenant, run_id)[0].status == RunStatus.CANCELLED


def test_who_lost_the_step_writes_nothing(tenant: Tenant, acting: Replace) -> None:
    def act(ctx: Ctx) -> Done:
        with tenant_scope(tenant.id):
            runs.steps_of(ctx.run.id)[0].fence += 1
            db.session.commit()
        ctx.save("leads", 0, [1])
        pytest.fail("the page was taken")

    acting(act)
    run_id = begin(tenant)
    assert worked(tenant, run_id).status == "running"


def test_the_lease_is_renewed_during_a_long_silence(tenant: Tenant, acting: Replace) -> None:
    def act(ctx: Ctx) -> Done:
        expire(tenant, ctx.run.id)
        ctx._lease_keeper.renew()
        with tenant_scope(tenant.id):
            until = runs.steps_of(ctx.run.id)[0].lease_until
        assert until is not None
        assert until > datetime.now(UTC)
        return Done()

    acting(act)
    assert worked(tenant, begin(tenant)).status == "done"


def test_a_job_for_a_step_that_nobody_knows_does_nothing(tenant: Tenant) -> None:
    run_id = begin(tenant)
    work(str(tenant.id), str(run_id), "no_such_step")
    assert state(tenant, run_id)[1][0].status == "ready"


def test_every_step_of_the_plan_can_be_worked() -> None:
    assert list(runtime.STEPS) == list(BY_KEY)


def test_the_keys_stand_in_the_order_of_the_plan() -> None:
    assert list(StepKey) == [plan.key for plan in PLAN]
