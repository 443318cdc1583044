"""How commands talk: JSON or plain lines, known refusals as one sentence, exit codes 0 done, 1 failed, 2 wrong use."""

from __future__ import annotations

import functools
import json
import sys
import uuid
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import click
from flask_babel import force_locale

from synkro.errors import AppError
from synkro.integrations.errors import ApiError
from synkro.models import JobRun, Tenant
from synkro.services import runs, tenants
from synkro.services.wording import remarks, sentence
from synkro.tenancy import system_scope

Command = TypeVar("Command", bound=Callable[..., Any])
OPERATOR = "command line"


def command(function: Command) -> Command:
    """Known refusals become one sentence on stderr and exit code 1, in English: operators read logs and manuals."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with force_locale("en"):
            try:
                return function(*args, **kwargs)
            except AppError as error:
                fail(f"{error.says} ({error.code})")
            except ApiError as error:
                fail(f"{sentence(error.code, error.params)} ({error.code})")

    return run  # type: ignore[return-value]


def say(text: str) -> None:
    click.echo(text, err=True)


def fail(text: str) -> NoReturn:
    say(text)
    sys.exit(1)


def show(data: Any) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


def the_tenant(slug: str) -> Tenant:
    tenant = tenants.by_slug(slug)
    if tenant is None:
        raise click.UsageError(f"there is no tenant {slug!r}")
    return tenant


def the_run(text: str) -> tuple[uuid.UUID, uuid.UUID]:
    """(tenant id, run id) of a run named by its id."""
    try:
        run_id = uuid.UUID(text)
    except ValueError:
        raise click.UsageError("RUN is the id of a run") from None
    with system_scope("cli: a run is named without its tenant"):
        run = runs.find(run_id)
    if run is None:
        fail("There is no such run (no_run)")
    return run.tenant_id, run_id


def as_json(run: JobRun) -> dict[str, Any]:
    """The shape of `runs show --json`. Call it in the tenant's scope. What a step says is in the company's language."""
    with force_locale(run.language):
        return _as_json(run)


def _as_json(run: JobRun) -> dict[str, Any]:
    report = runs.report_of(run.id)
    return {
        "id": str(run.id),
        "status": run.status,
        "code": run.code,
        "window": [run.window_start.isoformat(), run.window_end.isoformat()],
        "steps": [
            {
                "key": step.key,
                "status": step.status,
                "colour": step.colour,
                "code": step.code,
                "says": remarks(step.code, step.params),
                "attempts": step.attempts,
                "seconds": seconds(step),
                "done": step.done,
                "total": step.total,
            }
            for step in runs.steps_of(run.id)
        ],
        "report": str(report) if report else None,
    }


def seconds(step: Any) -> float | None:
    if not step.started_at or not step.finished_at:
        return None
    return round(float((step.finished_at - step.started_at).total_seconds()), 3)
