"""From the end of a step to the start of the next one: our pipeline beside a Celery chain, turn by turn."""

from __future__ import annotations

import importlib
import os
import uuid
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from benchmarks.figures import line, spread, title
from benchmarks.installation import Installation, installation
from synkro.infra.stores import limits_url
from synkro.models.plan import PLAN
from synkro.services.reports import runs
from synkro.tenancy import tenant_scope

ROUNDS = 50
WARM_UP = 5
"""Rounds that are not counted: connections are opened, plans are made, modules are read."""

Spans = list[tuple[float, float]]
"""Began and ended, in seconds, one pair a step."""


def measure() -> bool:
    title(f"gap: {ROUNDS} runs of {len(PLAN)} steps that do nothing, both queues on the same Valkey")
    with installation() as here:
        url = _valkey(here)
        os.environ["CHAIN_URL"] = here.env["CHAIN_URL"] = url
        here.start("worker", "benchmarks.noop_worker")
        here.start("celery", *_CELERY)
        here.await_workers(1)
        rows, inside, chains = _rounds(here)
    _print(rows, inside, chains)
    return True


_CELERY = (
    "celery",
    "-A",
    "benchmarks.celery_chain",
    "worker",
    "--pool=prefork",
    "--concurrency=1",
    "--loglevel=WARNING",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
)
"""A worker with the talk among workers turned off, which is to its advantage."""


def _valkey(here: Installation) -> str:
    """The same server, another database in it."""
    return limits_url(here.config).replace("redis+unix:", "redis+socket:") + "?virtual_host=1"


def _rounds(here: Installation) -> tuple[list[Spans], list[Spans], list[Spans]]:
    """Turn by turn, so that a busy neighbour hits both alike; the queue that waits is idle."""
    run_chain = importlib.import_module("benchmarks.celery_chain").run_once
    rows, inside, chains = [], [], []
    for turn in range(WARM_UP + ROUNDS):
        by_rows, by_steps = _our_run(here, turn)
        chain = [(began, ended) for began, ended in run_chain(len(PLAN))]
        if turn >= WARM_UP:
            rows.append(by_rows)
            inside.append(by_steps)
            chains.append(chain)
    return rows, inside, chains


def _our_run(here: Installation, turn: int) -> tuple[Spans, Spans]:
    run_id = here.start_run(datetime.now(UTC) - timedelta(days=turn))
    here.processes.patiently(lambda: here.ended_run(run_id), 30, pause=0.1)
    return _spans(here, run_id)


def _spans(here: Installation, run_id: uuid.UUID) -> tuple[Spans, Spans]:
    """By the rows' times (the database's clock), and by what the steps saw."""
    with tenant_scope(here.tenant.id):
        steps = runs.steps_of(run_id)
    by_rows = [(s.started_at.timestamp(), s.finished_at.timestamp()) for s in steps if s.started_at and s.finished_at]
    return by_rows, [(step.params["began"], step.params["ended"]) for step in steps]


def _gaps(spans: list[Spans]) -> list[float]:
    """Milliseconds from an end to the next start."""
    return [(after[0] - before[1]) * 1000 for run in spans for before, after in pairwise(run)]


def _print(rows: list[Spans], inside: list[Spans], chains: list[Spans]) -> None:
    ours, work, theirs = (spread(_gaps(spans)) for spans in (rows, inside, chains))
    line("ours, rows' finished_at to started_at: median, p95", f"{ours[0]:.2f}, {ours[1]:.2f} ms")
    line("ours, code's end to code's start: median, p95", f"{work[0]:.2f}, {work[1]:.2f} ms")
    line("Celery, code's end to code's start: median, p95", f"{theirs[0]:.2f}, {theirs[1]:.2f} ms")
    line("ratio of medians, rows to Celery", f"{ours[0] / theirs[0]:.2f}")
    line("ratio of medians, code to Celery's code", f"{work[0] / theirs[0]:.2f}")
