"""flask db: Flask-Migrate's commands, saying what went wrong as ours do."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import click
from flask_migrate.cli import db

from synkro.cli.words import EXITS, command, say
from synkro.services.operations.schema import NewerSchema


def _with_words(theirs: click.Command) -> click.Command:
    """A copy: theirs belongs to the library and is one for all applications."""
    ours = copy.copy(theirs)
    if ours.callback:
        ours.callback = command(_fine_when_served(ours.callback) if ours.name == "upgrade" else ours.callback)
    return ours


def _fine_when_served(upgrade: Callable[..., Any]) -> Callable[..., Any]:
    """An older release beside a newer one upgrades as well when it starts: that it may stay is no failure."""

    @functools.wraps(upgrade)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            upgrade(*args, **kwargs)
        except NewerSchema as newer:
            if not newer.serves:
                raise
            say(str(newer))

    return run


group: click.Group = copy.copy(db)
group.commands = {name: _with_words(one) for name, one in db.commands.items()}
group.epilog = EXITS
COMMANDS = (group,)
