"""flask runs, flask reports run."""

from __future__ import annotations

import sys
import time
import uuid

import click
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError

from synkro.cli.words import EXITS, OPERATOR, as_json, command, fail, say, show, the_run
from synkro.models import JobRun
from synkro.models.plan import BY_KEY
from synkro.models.states import ACTIVE_RUN, RunStatus
from synkro.services.reports import runs
from synkro.tenancy import db, end_reading, tenant_scope

group = AppGroup("runs", help="Runs of the pipeline.", epilog=EXITS)
COMMANDS = (group,)
PAUSE_SECONDS = 0.5
LONGEST_AWAY_SECONDS = 60


@group.command("show")
@click.argument("run")
@click.option("--json", "json_wanted", is_flag=True, help="Print the run and its steps as JSON.")
@command
def show_run(run: str, *, json_wanted: bool) -> None:
    """Where the run RUN (its id) stands."""
    tenant_id, run_id = the_run(run)
    with tenant_scope(tenant_id):
        print_run(run_id, json_wanted=json_wanted)


@group.command("retry")
@click.argument("run")
@click.option("--from", "step", type=click.Choice([str(key) for key in BY_KEY]), help="By default the first open step.")
@command
def retry(run: str, step: str | None) -> None:
    """Continue an ended run from a step."""
    tenant_id, run_id = the_run(run)
    with tenant_scope(tenant_id):
        begun = runs.resume(_found(run_id), step, actor=OPERATOR)
    say(f"continued from {begun}")


@group.command("cancel")
@click.argument("run")
@command
def cancel(run: str) -> None:
    """Stop a run. One that has ended stays as it is."""
    tenant_id, run_id = the_run(run)
    with tenant_scope(tenant_id):
        runs.stop(_found(run_id), actor=OPERATOR)
        status = _found(run_id).status
    say("stopping" if status in ACTIVE_RUN else f"{status}: nothing is left to stop")


def _found(run_id: uuid.UUID) -> JobRun:
    run = runs.find(run_id)
    if run is None:
        fail("There is no such run (no_run)")
    return run


def wait(run_id: uuid.UUID) -> str:
    """The status in which the run ended. A database that is being restarted is waited for, as the run itself does."""
    away = 0.0
    while True:
        try:
            status = _found(run_id).status
            end_reading()
            away = 0.0
        except OperationalError:
            db.session.remove()
            status, away = RunStatus.RUNNING, away + PAUSE_SECONDS
        if status not in ACTIVE_RUN:
            return status
        if away > LONGEST_AWAY_SECONDS:
            fail("The database is not available (database_down)")
        time.sleep(PAUSE_SECONDS)


def print_run(run_id: uuid.UUID, *, json_wanted: bool) -> None:
    run = _found(run_id)
    data = as_json(run)
    if json_wanted:
        show(data)
        return
    say(f"{run.status} {run.id}")
    for step in data["steps"]:
        say(f"  {step['key']:<16} {step['status']:<9} {step['colour'] or '':<6} {step['says']}")


def exit_by(status: str) -> None:
    sys.exit(0 if status == RunStatus.SUCCEEDED else 1)
