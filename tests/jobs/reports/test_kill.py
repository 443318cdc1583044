"""kill -9 after every step and in the middle of every step: the world afterwards is that of a clean run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from synkro.extensions import redis, remember, settings, vault
from synkro.integrations.http.calls import HttpAnswer
from synkro.integrations.http.client import HttpConnection
from synkro.jobs.reports import duties, runtime
from synkro.jobs.reports.step import Ctx
from synkro.models import Delivery, Tenant
from synkro.models.plan import PLAN, StepKey
from synkro.models.states import DeliveryStatus
from synkro.services.connections import integrations
from synkro.services.reports import deliveries, runs
from synkro.tenancy import tenant_scope
from tests.conftest import make_tenant
from tests.support.kills import crash, recover, worker_that_dies
from tests.support.practice import Practice

TABLES = ("leads", "contacts", "chats", "messages", "reports", "analyses")
CHANGES = ("fetched_at", "run_id", "report_id", "created_at", "body_markdown")
"""What differs between two clean runs as well: their ids, times and the run's number in the text."""
KEYS = [plan.key for plan in PLAN]


_made: dict[str, Any] = {}


@pytest.fixture
def clean_world(new_practice: Callable[[Tenant], Practice], app: Flask) -> dict[str, Any]:
    """The world after an undisturbed run of another company; made once for all tests here."""
    if not _made:
        undisturbed = new_practice(make_tenant("clean", "Clean"))
        undisturbed.run()
        _made.update(world_of(undisturbed))
    return _made


@pytest.fixture(autouse=True)
def impatient(clean_world: dict[str, Any], practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(practice.app, replace(settings(), lease_seconds=1), vault(), redis())
    monkeypatch.setattr(duties, "QUIET_SECONDS", 0)


def world_of(practice: Practice) -> dict[str, Any]:
    tables = {table: sorted(map(_lasting, practice.rows(f"synkro_{table}"))) for table in TABLES}
    return {**tables, "sent": len(practice.sent())}


def _lasting(row: dict[str, Any]) -> str:
    """The row as text, without the port of the stand-in that stands in the vendor's links."""
    text = json.dumps({name: value for name, value in row.items() if name not in CHANGES}, sort_keys=True)
    return re.sub(r"127\.0\.0\.1:\d+", "vendor", text)


def mine_after(key: StepKey) -> Callable[[], None]:
    """Dies between the commit of a step and the job of the next (for the last step: right after its commit)."""
    real = runtime.steps.finish

    def finish(claim: Any, *args: Any) -> Any:
        following = real(claim, *args)
        if claim.key == key:
            crash()
        return following

    return lambda: setattr(runtime.steps, "finish", finish)


def mine_at_call(key: StepKey, number: int) -> Callable[[], None]:
    """Dies when the vendor has done the work of the step's n-th request, before we know of it."""
    real_once, real_run, seen = HttpConnection._once, runtime._run, {"key": "", "calls": 0}

    def run(claim: Any, lease_keeper: Any) -> Any:
        seen["key"] = claim.key
        return real_run(claim, lease_keeper)

    def once(self: HttpConnection, *args: Any) -> HttpAnswer:
        answer = real_once(self, *args)
        if seen["key"] == key:
            seen["calls"] = int(seen["calls"]) + 1
            if seen["calls"] == number:
                crash()
        return answer

    def set_fault_point() -> None:
        runtime._run = run
        HttpConnection._once = once  # type: ignore[method-assign]

    return set_fault_point


def mine_at_save(key: StepKey, number: int) -> Callable[[], None]:
    """Dies right after the step's n-th page was handed over."""
    real, seen = Ctx.save, {"saves": 0}

    def save(self: Ctx, *args: Any, **kwargs: Any) -> None:
        real(self, *args, **kwargs)
        if self.claim.key == key:
            seen["saves"] += 1
            if seen["saves"] == number:
                crash()

    return lambda: setattr(Ctx, "save", save)


@pytest.mark.parametrize("key", KEYS)
def test_a_worker_killed_after_a_step_leaves_the_same_world(
    clean_world: dict[str, Any], practice: Practice, key: StepKey
) -> None:
    run_id = practice.start()
    worker_that_dies(practice, mine_after(key))
    recover(practice, run_id)
    assert world_of(practice) == clean_world


MIDDLES = [
    (StepKey.FETCH_AMOCRM, mine_at_call, 5),
    (StepKey.FETCH_AMOCRM, mine_at_save, 2),
    (StepKey.WRITE_LEADS, mine_at_call, 1),
    (StepKey.WRITE_LEADS, mine_at_call, 2),
    (StepKey.FETCH_RADIST, mine_at_call, 1),
    (StepKey.FETCH_RADIST, mine_at_call, 9),
    (StepKey.FETCH_RADIST, mine_at_save, 4),
    (StepKey.WRITE_DIALOGS, mine_at_call, 2),
    (StepKey.BUILD_PROMPT, mine_at_save, 1),
    (StepKey.BUILD_PROMPT, mine_at_save, 2),
    (StepKey.ANALYSE, mine_at_call, 1),
    (StepKey.ANALYSE, mine_at_save, 1),
    (StepKey.PERSIST_REPORT, mine_at_call, 1),
    (StepKey.PERSIST_REPORT, mine_at_save, 1),
    (StepKey.NOTIFY_TELEGRAM, mine_at_call, 1),
]


def test_every_step_has_a_point_in_its_middle() -> None:
    assert {key for key, _, _ in MIDDLES} == set(KEYS)


@pytest.mark.parametrize(("key", "fault_point", "number"), MIDDLES)
def test_a_worker_killed_in_a_step_leaves_the_same_world(
    clean_world: dict[str, Any],
    practice: Practice,
    key: StepKey,
    fault_point: Callable[[StepKey, int], Callable[[], None]],
    number: int,
) -> None:
    run_id = practice.start()
    worker_that_dies(practice, fault_point(key, number))
    recover(practice, run_id)
    assert world_of(practice) == clean_world


def test_a_worker_killed_while_the_group_moves_keeps_its_new_id(practice: Practice) -> None:
    practice.control("telegram", fault="migrate")
    run_id = practice.start()
    worker_that_dies(practice, mine_after_sending)
    recover(practice, run_id)
    with tenant_scope(practice.tenant.id):
        config = integrations.find("telegram")
        assert config is not None
        assert config.settings["chat_id"] == str(practice.sent()[0]["chat"]["id"])
    assert len(practice.sent()) == 1


def mine_after_sending() -> None:
    """Dies right after "sent" was written down."""
    real = deliveries.end

    def end(row: Delivery, status: DeliveryStatus, **more: Any) -> None:
        real(row, status, **more)
        if status == DeliveryStatus.SENT:
            crash()

    deliveries.end = end


def test_a_killed_run_has_one_report(practice: Practice) -> None:
    run_id = practice.start()
    worker_that_dies(practice, mine_at_call(StepKey.PERSIST_REPORT, 2))
    recover(practice, run_id)
    with tenant_scope(practice.tenant.id):
        assert runs.report_of(run_id) is not None
    assert len(practice.rows("synkro_reports")) == 1
