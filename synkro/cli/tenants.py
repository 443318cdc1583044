"""flask tenants."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from synkro.cli.words import EXITS, OPERATOR, command, say, the_tenant
from synkro.services.companies import tenants

group = AppGroup("tenants", help="Companies.", epilog=EXITS)
COMMANDS = (group,)


@group.command("create")
@click.argument("slug")
@click.option("--name", required=True, help="Name as people read it.")
@click.option("--timezone", default="Asia/Almaty", show_default=True, help="IANA zone, such as Asia/Almaty.")
@command
def create(slug: str, name: str, timezone: str) -> None:
    """Create the company SLUG (lower-case Latin letters, digits, hyphens)."""
    tenant = tenants.create(slug, name, timezone, actor=OPERATOR)
    say(f"created {tenant.slug} {tenant.id}")


@group.command("pause")
@click.argument("slug")
@command
def pause(slug: str) -> None:
    """Make no more reports for the company SLUG; its people may still read."""
    tenants.pause(None, the_tenant(slug).id)
    say(f"paused {slug}")


@group.command("resume")
@click.argument("slug")
@command
def resume(slug: str) -> None:
    """Make reports for the company SLUG again."""
    tenants.resume(None, the_tenant(slug).id)
    say(f"resumed {slug}")
