"""The health page: counts, and a page also where something is away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from flask import Flask
from redis import Redis
from rq import Worker
from rq.serializers import JSONSerializer

from synkro.extensions import redis, remember, settings, vault
from synkro.infra import queue
from synkro.models import JobStep, StoredLetter, Tenant
from synkro.models.plan import PLAN
from synkro.models.states import RunStatus, StepStatus
from synkro.services.operations import health, workload
from synkro.services.operations.schema import Fit
from synkro.tenancy import db, system_scope, tenant_scope
from tests.conftest import redis_away
from tests.support.having import assert_has
from tests.support.rows import make_report, make_run, set_step
from tests.support.web_client import Enter

PATHS = ("/admin/health", "/admin/health/now")


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def worker(store: Redis) -> Iterator[Worker]:
    """Stands in RQ's books, works at nothing."""
    queues = [queue.queue(name, store) for name in queue.QUEUES]
    one = Worker(queues, name="practice-worker", connection=store, serializer=JSONSerializer)
    one.register_birth()
    yield one
    one.register_death()


@pytest.mark.parametrize("path", PATHS)
def test_tells_what_works(enter: Enter, worker: Worker, path: str) -> None:
    health.mark_tick()
    page = enter("admin").get(path)
    assert page.status_code == 200
    assert "All is well" in page.text
    assert 'hx-trigger="every 10s"' in page.text


def test_a_duty_of_the_tick_that_failed_is_named(enter: Enter, worker: Worker) -> None:
    health.mark_tick(["heads", "late"])
    assert "Works in part heads, late" in words(enter("admin").get("/admin/health").text)


def test_a_duty_of_the_tick_that_failed_is_yellow(enter: Enter, worker: Worker) -> None:
    health.mark_tick(["heads"])
    assert workload.installation().colour == "yellow"


@pytest.mark.parametrize(("fit", "colour"), [("current", "green"), ("ahead", "yellow"), ("behind", "red")])
def test_another_schema_than_ours_is_seen(app: Flask, worker: Worker, fit: str, colour: str) -> None:
    health.mark_tick()
    assert replace(workload.installation(), schema=Fit(fit)).colour == colour


def test_only_the_page_has_a_frame(enter: Enter) -> None:
    browser = enter("admin")
    assert ["<html" in browser.get(path).text for path in PATHS] == [True, False]


def test_looking_again_does_not_use_up_the_limit_of_pages(enter: Enter) -> None:
    browser = enter("admin")
    left = [browser.get("/admin/health").headers["X-RateLimit-Remaining"] for _ in range(1)]
    browser.get("/admin/health/now")
    left.append(browser.get("/admin/health").headers["X-RateLimit-Remaining"])
    assert int(left[0]) - int(left[1]) == 1


def test_runs_and_steps_are_counted(tenant: Tenant, other_tenant: Tenant) -> None:
    make_report(tenant)
    make_run(tenant)
    make_run(other_tenant, status=RunStatus.RUNNING)
    work = workload.installation().work
    assert work is not None
    assert work.runs == {"succeeded": 1, "queued": 1, "running": 1}
    assert work.steps == {"ready": 2, "pending": 2 * len(PLAN) - 2}


def test_a_silent_worker_and_a_step_left_lying_are_counted(tenant: Tenant, other_tenant: Tenant) -> None:
    held, lying = make_run(tenant, status=RunStatus.RUNNING), make_run(other_tenant)
    set_step(tenant, held, 1, status=StepStatus.RUNNING, lease_until=now() - timedelta(seconds=5))
    set_step(other_tenant, lying, 1, ready_at=now() - timedelta(minutes=2), enqueued_at=now())
    found = workload.installation()
    assert found.work is not None
    assert_has(found.work, expired=1, late=1, enqueued_again=1)


def test_a_step_that_was_enqueued_once_was_not_enqueued_again(tenant: Tenant) -> None:
    run_id, at = make_run(tenant), now() - timedelta(minutes=2)
    set_step(tenant, run_id, 1, ready_at=at, enqueued_at=at)
    work = workload.installation().work
    assert work is not None
    assert_has(work, late=1, enqueued_again=0)


def test_failures_of_the_day_are_told_by_step_and_code(
    enter: Enter, tenant: Tenant, other_tenant: Tenant, store: Redis
) -> None:
    for company, hours in ((tenant, 1), (other_tenant, 2), (tenant, 25)):
        ended = {"status": RunStatus.FAILED, "code": "token_revoked", "finished_at": now() - timedelta(hours=hours)}
        run_id = make_run(company, **ended)
        set_step(company, run_id, 1, status=StepStatus.FAILED, code="token_revoked", params={"name": "secret words"})
    page = enter("admin").get("/admin/health").text
    assert "Deals from amoCRM token_revoked 2 Alfa, Beta" in words(page)
    assert "secret words" not in page


def test_letters_are_counted(app: Flask) -> None:
    with system_scope("test: letters"):
        for next_at, sent_at, hours in ((now(), None, 0), (None, None, 1), (None, None, 25), (None, now(), 1)):
            at = now() - timedelta(hours=hours)
            db.session.add(StoredLetter(next_at=next_at, sent_at=sent_at, created_at=at, expires_at=now()))
        db.session.commit()
    work = workload.installation().work
    assert work is not None
    assert_has(work, letters=1, unsent=1)


def test_waiting_jobs_are_counted_with_the_age_of_the_oldest(app: Flask, store: Redis) -> None:
    for n in range(3):
        queue.enqueue(store, queue.STEPS, "nobody.runs.this", str(n), seconds=60)
    job = queue.queue(queue.STEPS, store).jobs[0]
    job.enqueued_at = now() - timedelta(seconds=100)
    job.save()
    lines = {line.name: line for line in workload.installation().queue_state.queues or []}
    assert lines["steps"].waiting == 3
    assert 100 <= (lines["steps"].oldest or 0) < 110
    assert_has(lines["tick"], waiting=0, oldest=None, workers=0)


def test_workers_are_told_with_their_last_sign_of_life(worker: Worker) -> None:
    queue_state = workload.installation().queue_state
    assert [(one.name, one.queues, one.is_late) for one in queue_state.workers] == [
        ("practice-worker", list(queue.QUEUES), False)
    ]
    assert (queue_state.workers[0].silent or 0) < 10
    assert [line.workers for line in queue_state.queues or []] == [1] * len(queue.QUEUES)


def test_a_worker_that_is_silent_for_longer_than_it_promised_is_late(
    enter: Enter, worker: Worker, store: Redis
) -> None:
    store.expire(worker.key, 59)
    assert [one.is_late for one in workload.installation().queue_state.workers] == [True]
    assert "Silent" in enter("admin").get("/admin/health").text


@pytest.mark.parametrize("path", PATHS)
def test_without_redis_there_is_a_page(app: Flask, enter: Enter, path: str) -> None:
    browser = enter("admin")
    remember(app, settings(), vault(), redis_away())
    page = browser.get(path)
    assert page.status_code == 200
    assert "The queues could not be read" in page.text


@pytest.mark.parametrize("path", PATHS)
def test_a_slow_database_is_not_waited_for(
    enter: Enter, tenant: Tenant, postgres_superuser_url: str, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(workload, "LONGEST_ANSWER_MS", 200)
    browser = enter("admin")
    with psycopg.connect(postgres_superuser_url, dbname="synkro") as connection:
        connection.execute("lock table job_runs in access exclusive mode")
        page = browser.get(path)
    assert page.status_code == 200
    assert "The runs could not be counted" in page.text


def test_counts_do_not_stay_behind_a_time_limit(tenant: Tenant) -> None:
    workload.installation()
    with tenant_scope(tenant.id):
        assert db.session.execute(db.text("show statement_timeout")).scalar_one() == "0"
        assert db.session.query(JobStep).count() == 0


def test_what_is_wrong_gives_the_colour(worker: Worker, tenant: Tenant) -> None:
    assert workload.installation().colour == "red"  # no tick yet
    health.mark_tick()
    assert workload.installation().colour == "green"
    run_id = make_run(tenant)
    set_step(tenant, run_id, 1, ready_at=now() - timedelta(minutes=2))
    assert workload.installation().colour == "yellow"


def test_a_queue_without_a_worker_needs_a_look(app: Flask, store: Redis) -> None:
    health.mark_tick()
    assert redis().ping()
    assert workload.installation().colour == "yellow"
