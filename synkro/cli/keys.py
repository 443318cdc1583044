"""flask keys."""

from __future__ import annotations

import secrets

import click
from flask.cli import AppGroup
from sqlalchemy import select

from synkro.cli.words import EXITS, command, fail, say
from synkro.crypto import CannotOpen
from synkro.models import IntegrationConfig
from synkro.services import health, tenants
from synkro.services.health import WrongKey
from synkro.services.secrets import open_secrets
from synkro.tenancy import db, tenant_scope

group = AppGroup("keys", help="The key that seals secrets.", epilog=EXITS)
COMMANDS = (group,)


@group.command("generate")
def generate() -> None:
    """Print a new value for FIELD_ENCRYPTION_KEY."""
    click.echo(secrets.token_hex(32))


@group.command("check")
@command
def check() -> None:
    """Open every stored secret. Prints counts only."""
    try:
        health.verify_key()
    except WrongKey as error:
        fail(str(error))
    opened, broken = 0, 0
    for tenant in tenants.listed():
        with tenant_scope(tenant.id):
            for config in db.session.execute(select(IntegrationConfig)).scalars():
                try:
                    opened += len(open_secrets(config))
                except CannotOpen:
                    broken += len(config.secrets)
    say(f"opened {opened}, not opened {broken}")
    if broken:
        fail("some secrets were sealed with a key that is not configured")
