"""Memory stays flat: the pipeline holds a page and not a window, whatever the number of messages."""

from __future__ import annotations

import os
import resource
import signal
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from synkro.analysis.figures.window import Window
from synkro.infra.pace import RedisPacer
from synkro.jobs.reports import runtime
from synkro.models import Tenant
from synkro.models.plan import StepKey
from synkro.models.states import RunStatus
from synkro.sandbox.big import big_world
from synkro.sandbox.server import Sandbox
from synkro.services.reports import artifacts
from synkro.tenancy import db, tenant_scope
from tests.support.practice import Practice

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LEADS, CHATS, MESSAGES_PER_CHAT = 200, 100, 200
TO_THE_PROMPT = tuple(StepKey)[: list(StepKey).index(StepKey.BUILD_PROMPT) + 1]
"""From the first fetch to the prompt."""
MOST_GROWTH = 30 * 1024
"""KiB. It is half of that; held at once, the 20,000 messages would take twice as much."""


@pytest.fixture
def big(tenant: Tenant, app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Practice]:
    """The stand-ins live in a process of their own: what they hold is not ours."""
    monkeypatch.setattr(RedisPacer, "wait", lambda *_: None)
    world = big_world(LEADS, CHATS, MESSAGES_PER_CHAT, NOW, DAY)
    address = tmp_path / "urls"
    pid = os.fork()
    if pid == 0:
        try:
            draft = tmp_path / "draft"
            draft.write_text(repr(Sandbox(world).urls))
            draft.rename(address)
            signal.pause()
        finally:
            os._exit(0)
    while not address.exists():
        time.sleep(0.05)
    urls = dict(part.split("': '") for part in address.read_text().strip("{}'").split("', '"))
    yield Practice(app, tenant, world, urls).connect()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def growth_of(practice: Practice, run_id: uuid.UUID, keys: tuple[StepKey, ...], report: Path) -> int:
    """KiB by which the peak of a fresh process grows while it works these steps."""
    pid = os.fork()
    if pid == 0:
        try:
            db.engine.dispose(close=False)
            before = peak()
            for key in keys:
                runtime.work(str(practice.tenant.id), str(run_id), key)
            report.write_text(str(peak() - before))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    return int(report.read_text())


def peak() -> int:
    """KiB. A forked process begins with what it holds, not with its parent's peak."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_twenty_thousand_messages_fit_into_little_memory(big: Practice, tmp_path: Path) -> None:
    run_id = big.start(Window(NOW - DAY, NOW))
    grown = growth_of(big, run_id, TO_THE_PROMPT, tmp_path / "grown")
    run, steps = big.state(run_id)
    worked = {step.key: step.status for step in steps if step.key in TO_THE_PROMPT}
    assert set(worked.values()) == {"done"}, [(s.key, s.status, s.code) for s in steps]
    with tenant_scope(big.tenant.id):
        assert artifacts.count(run_id, "messages") == CHATS * MESSAGES_PER_CHAT
    assert run.status == RunStatus.RUNNING
    assert grown < MOST_GROWTH
