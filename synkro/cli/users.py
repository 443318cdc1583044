"""flask users."""

from __future__ import annotations

import sys
import uuid

import click
from flask.cli import AppGroup
from sqlalchemy import func, select

from synkro.cli.words import EXITS, OPERATOR, command, fail, say, the_tenant
from synkro.models import User
from synkro.models.states import Role
from synkro.services.auth import accounts, second_factor
from synkro.services.companies import people
from synkro.tenancy import db, end_reading

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


@group.command("reset-second-factor")
@click.argument("email")
@command
def reset_second_factor(email: str) -> None:
    """Take the second factor, the recovery codes and every session of EMAIL away, for a person who lost the phone."""
    second_factor.reset(_id_of(email), OPERATOR)
    say(f"reset {email}")


@group.command("disable")
@click.argument("email")
@command
def disable(email: str) -> None:
    """Sign EMAIL out everywhere and let the person in no more, for an account that fell into wrong hands."""
    people.disable(None, _id_of(email))
    say(f"disabled {email}")


@group.command("enable")
@click.argument("email")
@command
def enable(email: str) -> None:
    """Let EMAIL in again."""
    people.enable(None, _id_of(email))
    say(f"enabled {email}")


def _id_of(email: str) -> uuid.UUID:
    found = db.session.execute(select(User.id).where(func.lower(User.email) == email.strip().lower()))
    user_id = found.scalar_one_or_none()
    end_reading()
    if user_id is None:
        fail(f"There is no account {email!r} (no_user)")
    return user_id
