"""flask users."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup

from synkro.cli.words import EXITS, OPERATOR, command, say, the_tenant
from synkro.models.states import Role
from synkro.services import accounts

group = AppGroup("users", help="People.", epilog=EXITS)
COMMANDS = (group,)


@group.command("create")
@click.argument("email")
@click.option("--role", type=click.Choice([str(role) for role in Role]), required=True)
@click.option("--tenant", "slug", help="Company of a user; staff have none.")
@click.option("--can-manage-settings", is_flag=True, help="May open the settings.")
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password from standard input.")
@command
def create(email: str, role: str, slug: str | None, *, can_manage_settings: bool, password_stdin: bool) -> None:  # noqa: ARG001
    """Create the account EMAIL. The password is read from standard input, never from the command line."""
    tenant = the_tenant(slug) if slug else None
    password = sys.stdin.readline().rstrip("\r\n")
    accounts.create(email, password, Role(role), tenant, can_manage_settings=can_manage_settings, actor=OPERATOR)
    say(f"created {email}")
