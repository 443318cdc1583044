"""flask engines, flask keys, flask tick, --help."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

from synkro import embedded
from synkro.cli.words import EXITS
from synkro.crypto import Vault
from synkro.extensions import redis, remember, settings
from synkro.services.operations import health
from tests.cli.conftest import Cli, flask
from tests.support import leftovers
from tests.support.processes import settings_of

GROUPS = ("db", "tenants", "users", "integrations", "reports", "runs", "audit", "engines", "keys")


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """Short, because the path of a socket may not be long."""
    folder = leftovers.folder()
    yield folder
    embedded.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_engines_start_and_stop(own_folder: Path) -> None:
    env = settings_of(own_folder)
    assert [flask("engines", word, env=env).returncode for word in ("status", "stop", "start", "status")] == [
        1,
        0,
        0,
        0,
    ]
    running = flask("engines", "status", env=env).stdout
    assert re.fullmatch(r"postgres: running, pid \d+\nvalkey: running, pid \d+\n", running)
    assert [flask("engines", word, env=env).returncode for word in ("start", "stop", "status")] == [0, 0, 1]


def test_generated_keys_are_usable_and_differ(cli: Cli) -> None:
    made = [cli("keys", "generate").stdout.strip() for _ in range(2)]
    assert made[0] != made[1]
    assert [len(bytes.fromhex(key)) for key in made] == [32, 32]


def test_another_key_is_noticed_before_anything_is_sealed_with_it(cli: Cli, app: Flask) -> None:
    health.verify_key()
    remember(app, settings(), Vault("0" * 64), redis())
    for words in (("keys", "check"), ("keys", "rotate"), ("worker", "--burst"), ("scheduler",)):
        done = cli(*words)
        assert done.exit_code == 1
        assert "FIELD_ENCRYPTION_KEY" in done.stderr


def test_tick_is_marked(cli: Cli) -> None:
    assert cli("tick").exit_code == 0
    assert health.last_tick() is not None


@pytest.mark.parametrize("group", GROUPS)
def test_help_of_a_group_explains_the_exit_codes(cli: Cli, group: str) -> None:
    done = cli(group, "--help")
    assert done.exit_code == 0
    assert EXITS in " ".join(done.stdout.split())


def test_every_command_has_a_help(app: Flask, cli: Cli) -> None:
    paths = [path for path in _paths(app.cli, ()) if path[0] not in ("limiter", "run", "shell", "routes")]
    assert len(paths) > 20
    assert [path for path in paths if cli(*path, "--help").exit_code != 0] == []


def _paths(group: click.Group, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, one in group.commands.items():
        yield (*above, name)
        if isinstance(one, click.Group):
            yield from _paths(one, (*above, name))
