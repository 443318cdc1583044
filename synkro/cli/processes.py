"""flask worker, flask scheduler, flask tick."""

from __future__ import annotations

import click
from flask import current_app

from synkro.cli.words import command, fail
from synkro.infra import queue
from synkro.jobs.engine import scheduler as clock
from synkro.jobs.engine.tick import tick as tick_once
from synkro.jobs.engine.worker import flask_command, supervise, work_on
from synkro.services.operations import health
from synkro.services.operations.health import Unfit


@click.command("worker")
@click.option("--queue", "name", type=click.Choice(queue.QUEUES), help="Serve only this queue, in this process.")
@click.option("--burst", is_flag=True, help="End when the queue is empty.")
@click.option("--steps", default=1, show_default=True, help="Processes that work on steps.")
def worker(name: str | None, *, burst: bool, steps: int) -> None:
    """Work: one process for each queue, watched and started again when one dies."""
    _verify()
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    if name:
        work_on(app, name, burst=burst)
        return
    names = {one: one for one in queue.QUEUES} | {f"{queue.STEPS}-{n}": queue.STEPS for n in range(1, steps)}
    raise SystemExit(supervise({label: flask_command("worker", "--queue", one) for label, one in names.items()}))


@click.command("scheduler")
def scheduler() -> None:
    """Send a tick every few seconds. Any number may run."""
    _verify()
    clock.run(current_app._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001


@click.command("tick")
@command
def tick() -> None:
    """Do one tick here and now."""
    _verify()
    tick_once()


@command
def _verify() -> None:
    """Better no worker than one whose every step fails, or who reads across companies."""
    try:
        health.verify()
    except Unfit as error:
        fail(str(error))


COMMANDS = (worker, scheduler, tick)
