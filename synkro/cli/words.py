"""How commands talk: JSON or plain lines, known refusals as one sentence, exit codes as in EXITS."""

from __future__ import annotations

import functools
import json
import sys
import uuid
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import click
from flask_babel import force_locale
from psycopg.errors import UndefinedColumn, UndefinedTable
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError, ProgrammingError

from synkro.crypto import CannotOpen
from synkro.embedded import EngineError
from synkro.errors import AppError
from synkro.integrations.errors import ApiError
from synkro.models import JobRun, Tenant
from synkro.services.companies import tenants
from synkro.services.operations.schema import NewerSchema
from synkro.services.reports import runs
from synkro.services.shared.wording import remarks, sentence
from synkro.tenancy import end_reading, system_scope

Command = TypeVar("Command", bound=Callable[..., Any])
OPERATOR = "command line"
WRONG_INPUT = 422
"""What was given can not be right, whatever the state of things: wrong use."""
EXITS = "Exit codes: 0 done; 1 failed, also when there is no such company, run or report; 2 wrong use."
"""Shown under the help of every group."""


def command(function: Command) -> Command:
    """Known refusals become one sentence on stderr and exit code 1, in English: operators read logs and manuals."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with force_locale("en"):
            try:
                return function(*args, **kwargs)
            except AppError as error:
                if error.status == WRONG_INPUT:
                    raise click.UsageError(f"{error.says} ({error.code})") from None
                fail(f"{error.says} ({error.code})")
            except UnicodeError:
                raise click.UsageError("what was given is not UTF-8 text") from None
            except Exception as error:
                text = refusal(error)
                if text is None:
                    raise
                fail(text)

    return run  # type: ignore[return-value]


def refusal(error: Exception) -> str | None:
    """One sentence for what may well happen; None for what is a defect and deserves its trace."""
    match error:
        case ApiError():
            return f"{sentence(error.code, error.params)} ({error.code})"
        case EngineError():
            return f"{error} (engine_down)"
        case NewerSchema():
            return str(error)
        case CannotOpen():
            return "A stored value was sealed with a key that is not configured (wrong_key)"
        case OperationalError():
            return "The database is not available (database_down)"
        case ProgrammingError(orig=UndefinedTable() | UndefinedColumn()):
            return "The tables are missing or old: run flask db upgrade (not_migrated)"
        case RedisError():
            return "Redis is not available (redis_down)"
    return None


def say(text: str) -> None:
    click.echo(text, err=True)


def fail(text: str) -> NoReturn:
    say(text)
    sys.exit(1)


def show(data: Any) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


def the_tenant(slug: str) -> Tenant:
    tenant = tenants.by_slug(slug)
    end_reading()
    if tenant is None:
        fail(f"There is no company {slug!r} (no_tenant)")
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
