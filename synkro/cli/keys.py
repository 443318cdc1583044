"""flask keys."""

from __future__ import annotations

import secrets
from collections import Counter

import click
from flask.cli import AppGroup

from synkro.cli.words import EXITS, OPERATOR, command, fail, say
from synkro.extensions import vault
from synkro.services.operations import health, keys
from synkro.services.operations.health import WrongKey
from synkro.services.operations.keys import Moved, Survey

group = AppGroup("keys", help="The key that seals secrets.", epilog=EXITS)
COMMANDS = (group,)


@group.command("generate")
def generate() -> None:
    """Print a new value for FIELD_ENCRYPTION_KEY."""
    click.echo(secrets.token_hex(32))


@group.command("check")
@command
def check() -> None:
    """Open every sealed value. Prints counts by key, and which old key may be removed."""
    _verify_key()
    found = keys.survey()
    for one in found:
        say(f"{one.name}: {_counts(one)}")
    for key in vault().older:
        say(_verdict(key, found))
    unopened = sum(one.unopened.total() for one in found)
    say(f"opened {sum(one.opened.total() for one in found)}, not opened {unopened}")
    if unopened:
        fail("some values were changed, moved, or sealed with a key that is not configured")


@group.command("rotate")
@click.option("--dry-run", is_flag=True, help="Try every value, change none.")
@command
def rotate(*, dry_run: bool) -> None:
    """Seal everything anew with FIELD_ENCRYPTION_KEY.

    What FIELD_ENCRYPTION_KEYS_OLD has sealed is opened with it. The program may run meanwhile. Whatever stops this
    command, it goes on when it is started again.
    """
    if dry_run:
        done = keys.rehearse(_progress)
    else:
        _verify_key()
        done = keys.rotate(_progress, actor=OPERATOR)
    for one in done:
        say(_outcome(one))
    if any(one.held for one in done):
        fail("some rows were held by others: run this again")
    if any(one.unopened for one in done):
        fail("what did not open was left as it was; keys check tells which keys it names")


def _verify_key() -> None:
    try:
        health.verify_key()
    except WrongKey as error:
        fail(str(error))


def _progress(name: str, done: int, of: int) -> None:
    say(f"{name}: {done} of {of}")


def _outcome(one: Moved) -> str:
    held = f", held {one.held}" if one.held else ""
    return f"{one.name}: migrated {one.moved}, already current {one.current}, not opened {one.unopened}{held}"


def _counts(one: Survey) -> str:
    current = vault().current
    counts = [f"{number} with {key}" for key, number in sorted(one.opened.items()) if key != current]
    broken = [f"{number} not opened that name {key}" for key, number in sorted(_by_name(one.unopened).items())]
    return ", ".join([f"{one.opened[current]} with {current} (current)", *counts, *broken])


def _by_name(counts: Counter[str]) -> Counter[str]:
    named: Counter[str] = Counter()
    for key, number in counts.items():
        named[_named(key)] += number
    return named


def _named(key: str) -> str:
    """The id of a key, as far as it is one: what was changed by hand may hold anything."""
    return key if len(key) == 8 and set(key) <= set("0123456789abcdef") else "no key"


def _verdict(key: str, found: list[Survey]) -> str:
    if any(one.opened[key] for one in found):
        return f"key {key} is needed: run keys rotate"
    if any(one.unopened[key] for one in found):
        return f"key {key} opens nothing, but values that do not open name it: keep it until they are set anew"
    return f"key {key} is not needed, nothing is sealed with it: it may be removed from FIELD_ENCRYPTION_KEYS_OLD"
