"""flask engines."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from synkro import embedded
from synkro.cli.words import EXITS, command, fail, say
from synkro.extensions import settings

group = AppGroup("engines", help="The embedded PostgreSQL and Valkey.", epilog=EXITS)
COMMANDS = (group,)


@group.command("start")
@command
def start() -> None:
    """Start what does not run."""
    embedded.start(settings().var_dir)
    say("running")


@group.command("stop")
@command
def stop() -> None:
    """Stop both, cleanly."""
    embedded.stop(settings().var_dir)
    say("stopped")


@group.command("status")
@command
def status() -> None:
    """What runs. Exit 0 when both do."""
    found = embedded.status(settings().var_dir)
    for name, engine in found.items():
        click.echo(f"{name}: {'running, pid ' + str(engine.pid) if engine.running else 'not running'}")
    if not all(engine.running for engine in found.values()):
        fail("not everything runs")
