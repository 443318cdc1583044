"""flask integrations, flask supabase-sql."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from typing import Any

import click
from flask.cli import AppGroup
from flask_babel import force_locale
from redis.exceptions import RedisError

from synkro.cli.words import EXITS, OPERATOR, command, say, show, the_tenant
from synkro.errors import AppError
from synkro.i18n import _l
from synkro.integrations import INTEGRATIONS
from synkro.integrations.supabase.client import schema_sql
from synkro.services.connections import checks, integrations
from synkro.services.shared.wording import sentence
from synkro.tenancy import db, tenant_scope


class ServiceKind(click.ParamType[str]):
    """One of the services."""

    name = "kind"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return click.Choice(list(INTEGRATIONS)).convert(value, param, ctx)


group = AppGroup("integrations", help="Connections of a company to outside services.", epilog=EXITS)
WAIT_SECONDS = checks.PATIENCE_SECONDS
"""For a worker to begin."""
GRACE_SECONDS = 10
"""More than a check may take, until it counts as lost with its worker."""
START_WORKER = _l("No worker picked up the check. Start the worker.")


@group.command("set")
@click.argument("slug")
@click.argument("kind", type=ServiceKind())
@command
def set_(slug: str, kind: str) -> None:
    """Save settings of KIND for the company SLUG: a JSON object {"field": "value"} on standard input.

    Fields that are not named stay as they are. An empty text keeps a secret; null removes a value, a secret as well.
    """
    try:
        values = json.load(sys.stdin)
    except (ValueError, RecursionError):
        raise click.UsageError("standard input is not JSON") from None
    if not isinstance(values, dict) or not all(isinstance(v, (str, int)) or v is None for v in values.values()):
        raise click.UsageError('standard input must be an object {"field": "value"}')
    with tenant_scope(the_tenant(slug).id):
        integrations.save(
            kind, {name: value if value is None else str(value) for name, value in values.items()}, actor=OPERATOR
        )
    say(f"saved {kind}")


@group.command("check")
@click.argument("slug")
@click.argument("kind", type=ServiceKind())
@click.option("--json", "as_json", is_flag=True, help="Print {colour, code, says}.")
@command
def check(slug: str, kind: str, *, as_json: bool) -> None:
    """Check KIND of the company SLUG in a worker. Exit 0 when green."""
    tenant = the_tenant(slug)
    with tenant_scope(tenant.id), force_locale(tenant.language):
        colour, code, says = _checked(kind)
    if as_json:
        show({"colour": colour, "code": code, "says": says})
    say(f"{colour}: {says}")
    sys.exit(0 if colour == "green" else 1)


def _checked(kind: str) -> tuple[str, str, str]:
    """(colour, code, sentence) of the check that a worker makes now."""
    if not integrations.is_connected(kind):
        return _red(f"{kind}_not_connected")
    try:
        return _awaited(kind, checks.request(kind))
    except AppError as error:
        return "red", error.code, str(error.says)
    except RedisError:
        return _red("queue_away")


def _awaited(kind: str, asked: datetime) -> tuple[str, str, str]:
    """The answer to exactly this request. A worker that has begun is waited for until its check must have ended."""
    ends, missing = time.monotonic() + WAIT_SECONDS, "no_worker"
    while time.monotonic() < ends:
        config = integrations.find(kind)
        db.session.rollback()
        if config and config.checked_at and config.checked_at >= asked:
            return config.check_colour or "red", config.check_code or "", checks.says(config)
        if missing == "no_worker" and checks.has_begun(kind, asked):
            ends, missing = time.monotonic() + checks.CHECK_SECONDS + GRACE_SECONDS, "check_lost"
        time.sleep(0.3)
    return ("red", missing, str(START_WORKER)) if missing == "no_worker" else _red(missing)


def _red(code: str) -> tuple[str, str, str]:
    return "red", code, sentence(code, {})


@click.command("supabase-sql")
def supabase_sql() -> None:
    """Print the SQL block that a client runs once in Supabase."""
    click.echo(schema_sql())


COMMANDS = (group, supabase_sql)
