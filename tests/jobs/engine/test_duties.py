"""Duties of the tick: one that breaks, or takes too long, keeps none of the others from being done."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import text, update

from synkro.infra import clock, queue
from synkro.jobs.engine import tick
from synkro.jobs.engine.duties import Duty, fulfil
from synkro.jobs.engine.tick import DUTIES, TICK
from synkro.jobs.engine.worker import work_on
from synkro.mail import Letter
from synkro.models import Automation, StoredLetter, SystemMark, Tenant, User
from synkro.models.states import RunKind
from synkro.services.mail import outbox
from synkro.services.operations import health, workload
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support.runs_by_hand import begin, expire, statuses, taken

NAMES = [duty.name for duty in DUTIES]

pytestmark = pytest.mark.usefixtures("app")


def breaks() -> None:
    raise ValueError("a bug")


def breaks_in_sql() -> None:
    with system_scope("test"):
        db.session.execute(text("select nothing from nowhere"))


def hangs() -> None:
    time.sleep(30)


def broken(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    duties = [Duty(duty.name, breaks) if duty.name in names else duty for duty in DUTIES]
    monkeypatch.setattr(tick, "DUTIES", duties)


@pytest.mark.parametrize("name", NAMES)
def test_the_others_are_done_beside_one_that_breaks(name: str) -> None:
    done: list[str] = []
    fulfil([Duty(one, breaks if one == name else lambda one=one: done.append(one)) for one in NAMES])
    assert done == [one for one in NAMES if one != name]


def test_a_statement_that_breaks_leaves_the_others_a_session(app: Flask) -> None:
    found: list[int] = []
    duties = [
        Duty("bad", breaks_in_sql),
        Duty("good", lambda: found.append(db.session.execute(text("select 1")).scalar())),
    ]
    fulfil(duties)
    assert found == [1]


def test_those_that_failed_are_named() -> None:
    assert fulfil([Duty("one", breaks), Duty("two", list), Duty("three", breaks)]) == ["one", "three"]


def test_one_that_breaks_is_in_the_log_with_its_name(caplog: pytest.LogCaptureFixture) -> None:
    fulfil([Duty("one", breaks)])
    (record,) = caplog.records
    assert record.fields["duty"] == "one"  # type: ignore[attr-defined]


def test_one_that_breaks_is_in_the_log_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    fulfil([Duty("one", breaks)])
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is ValueError


def test_a_slow_one_is_in_the_log(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("synkro.jobs.engine.duties.SLOW_SECONDS", -1)
    fulfil([Duty("one", list)])
    assert [record.message for record in caplog.records] == ["duty slow"]


def test_letters_leave_although_no_schedule_can_be_read(tenant: Tenant, cast: dict[str, User], store: Redis) -> None:
    with tenant_scope(tenant.id):
        db.session.execute(update(Automation).values(kind=RunKind.DAILY))
        db.session.execute(update(Tenant).where(Tenant.id == tenant.id).values(timezone="Mars/Phobos"))
        db.session.commit()
    with system_scope("test"):
        letter = Letter("user@example.com", "Hello", "Words", "<p>Words", "en")
        letter_id = outbox.put(cast["user"].id, letter, clock.now() + outbox.LIFE)
        db.session.execute(update(StoredLetter).values(enqueued_at=None))
        db.session.commit()
    tick.tick()
    assert [job.args for job in queue.queue(queue.CHECKS, store).jobs] == [[str(letter_id)]]


def test_dead_steps_return_although_every_other_duty_breaks(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = begin(tenant)
    taken(tenant, run_id, "fetch_amocrm")
    expire(tenant, run_id)
    broken(monkeypatch, *NAMES[1:])
    tick.tick()
    assert statuses(tenant, run_id)[0] == "ready"


def test_the_rest_is_done_after_the_time_limit_has_struck(
    app: Flask, store: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(tick, "DUTIES", [Duty("one", hangs), Duty("two", lambda: done.append("two"))])
    queue.enqueue(store, queue.TICK, TICK, seconds=1)
    work_on(app, queue.TICK, burst=True)
    assert done == ["two"]


def test_the_rest_has_a_time_limit_too(app: Flask, store: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synkro.jobs.engine.duties.REST_SECONDS", 1)
    monkeypatch.setattr(tick, "DUTIES", [Duty("one", hangs), Duty("two", hangs)])
    queue.enqueue(store, queue.TICK, TICK, seconds=1)
    work_on(app, queue.TICK, burst=True)
    assert health.undone() == ["one", "two"]


def test_held_reports_go_before_due_ones_begin() -> None:
    assert NAMES.index("held") < NAMES.index("schedules")


def test_companies_are_deleted_last() -> None:
    assert NAMES[-1] == "deletions"


def test_no_two_duties_have_one_name() -> None:
    assert len(set(NAMES)) == len(NAMES)


# ---- what the health page may say


def test_a_tick_that_could_not_do_all_works_in_part(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, "heads")
    tick.tick()
    assert health.state()["tick"] == "partly"


def test_what_a_tick_could_not_do_is_named(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, "heads")
    tick.tick()
    assert workload.installation().undone == ["heads"]


def test_a_late_tick_is_late_whatever_it_could_do(app: Flask) -> None:
    health.mark_tick(["heads"])
    with system_scope("test"):
        db.session.get_one(SystemMark, "tick").at = datetime.now(UTC) - timedelta(hours=1)
        db.session.commit()
    assert health.state()["tick"] == "late"


def test_the_next_tick_that_can_do_all_is_up_again(app: Flask) -> None:
    health.mark_tick(["heads"])
    tick.tick()
    assert health.state()["tick"] == "up"
