"""python -m synkro: which release this is. The commands are those of `flask --app wsgi`."""

from __future__ import annotations

import click

from synkro.version import __version__


@click.command(no_args_is_help=True, epilog="For the commands: flask --app wsgi --help")
@click.version_option(__version__, prog_name="synkro", message="%(prog)s %(version)s")
def main() -> None:
    """Synkro. Needs no settings and no database."""


if __name__ == "__main__":
    main(prog_name="synkro")
