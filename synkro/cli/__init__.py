"""The command line: one file a noun. JSON goes to stdout only when asked for, messages to stderr."""

from __future__ import annotations

from flask import Flask

from synkro.cli import audit, db, engines, integrations, keys, processes, reports, runs, tenants, users


def init_app(app: Flask) -> None:
    for group in (db, tenants, users, integrations, runs, reports, audit, engines, keys, processes):
        for command in group.COMMANDS:
            app.cli.add_command(command)
