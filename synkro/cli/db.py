"""flask db: Flask-Migrate's commands, saying what went wrong as ours do."""

from __future__ import annotations

import copy

import click
from flask_migrate.cli import db

from synkro.cli.words import EXITS, command


def _with_words(theirs: click.Command) -> click.Command:
    """A copy: theirs belongs to the library and is one for all applications."""
    ours = copy.copy(theirs)
    if ours.callback:
        ours.callback = command(ours.callback)
    return ours


group: click.Group = copy.copy(db)
group.commands = {name: _with_words(one) for name, one in db.commands.items()}
group.epilog = EXITS
COMMANDS = (group,)
