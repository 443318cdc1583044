"""flask integrations, flask supabase-sql."""

from __future__ import annotations

import json
import sys
import time

import click
from flask.cli import AppGroup
from flask_babel import force_locale

from synkro.cli.words import EXITS, OPERATOR, command, say, show, the_tenant
from synkro.integrations import INTEGRATIONS
from synkro.integrations.supabase import schema_sql
from synkro.services import integrations
from synkro.services.wording import sentence
from synkro.tenancy import db, tenant_scope

group = AppGroup("integrations", help="Connections of a company to outside services.", epilog=EXITS)
KIND = click.Choice(list(INTEGRATIONS))
WAIT_SECONDS = 60


@group.command("set")
@click.argument("slug")
@click.argument("kind", type=KIND)
@command
def set_(slug: str, kind: str) -> None:
    """Save settings of KIND for the company SLUG: a JSON object {"field": "value"} on standard input."""
    try:
        values = json.load(sys.stdin)
    except (ValueError, RecursionError):
        raise click.UsageError("standard input is not JSON") from None
    if not isinstance(values, dict) or not all(isinstance(v, (str, int)) or v is None for v in values.values()):
        raise click.UsageError('standard input must be an object {"field": "value"}')
    with tenant_scope(the_tenant(slug).id):
        integrations.save(
            kind, {name: "" if value is None else str(value) for name, value in values.items()}, actor=OPERATOR
        )
    say(f"saved {kind}")


@group.command("check")
@click.argument("slug")
@click.argument("kind", type=KIND)
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
    """Ask a worker and wait for its answer to exactly this request."""
    if not integrations.is_connected(kind):
        return "red", f"{kind}_not_connected", sentence(f"{kind}_not_connected", {})
    asked = integrations.request_check(kind)
    ends = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < ends:
        config = integrations.find(kind)
        db.session.rollback()
        if config and config.checked_at and config.checked_at >= asked:
            return config.check_colour or "red", config.check_code or "", integrations.says(config)
        time.sleep(0.3)
    return "red", "no_worker", sentence("no_worker", {})


@click.command("supabase-sql")
def supabase_sql() -> None:
    """Print the SQL block that a client runs once in Supabase."""
    click.echo(schema_sql())


COMMANDS = (group, supabase_sql)
