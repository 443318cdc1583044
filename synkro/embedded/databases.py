"""Synkro's roles and databases inside a PostgreSQL server."""

from __future__ import annotations

from contextlib import suppress

import psycopg
from psycopg import conninfo, sql

OWNER = "synkro_owner"
APP = "synkro_app"
SYSTEM = "synkro_system"
DATABASE = "synkro"

ROLES = f"""
alter role {OWNER} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
alter role {APP} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
alter role {SYSTEM} nologin nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
grant {SYSTEM} to {OWNER}, {APP} with admin false, inherit false, set true;
"""


def make_first(connection: psycopg.Connection) -> None:
    """Make the roles and the database `synkro` where they are missing. Raises psycopg.Error."""
    if not _is_open(connection, DATABASE):
        _make_roles(connection)
        _make_database(connection, DATABASE)


def create_database(superuser_url: str, name: str) -> tuple[str, str]:
    """Make one more database with the owner and the rights of the first; does nothing when it is there.

    Gives (database_url, owner_url) for SQLAlchemy. Raises psycopg.Error.
    """
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        if not _is_open(connection, name):
            _make_database(connection, name)
    folder = conninfo.conninfo_to_dict(superuser_url)["host"]
    return address(APP, name, folder), address(OWNER, name, folder)


def address(role: str, database: str, folder: object) -> str:
    """SQLAlchemy's address of a database behind the socket in this folder."""
    return f"postgresql+psycopg://{role}:@/{database}?host={folder}"


def _is_open(connection: psycopg.Connection, name: str) -> bool:
    found = connection.execute("select 1 from pg_database where datname = %s and datallowconn", [name])
    return found.fetchone() is not None


def _make_roles(connection: psycopg.Connection) -> None:
    with connection.transaction():
        there = {row[0] for row in connection.execute("select rolname from pg_roles")}
        for role in (OWNER, APP, SYSTEM):
            if role not in there:
                connection.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
        connection.execute(ROLES)


def _make_database(connection: psycopg.Connection, name: str) -> None:
    """Make a closed database and open it together with its rights, so that a crash leaves no half-guarded one."""
    names = {"name": sql.Identifier(name), "owner": sql.Identifier(OWNER), "app": sql.Identifier(APP)}
    new = sql.SQL("create database {name} owner {owner} encoding 'UTF8' template template0 allow_connections false")
    with suppress(psycopg.errors.DuplicateDatabase):
        connection.execute(new.format(**names))
    with connection.transaction():
        connection.execute(sql.SQL("revoke all on database {name} from public").format(**names))
        connection.execute(sql.SQL("grant connect on database {name} to {owner}, {app}").format(**names))
        connection.execute(sql.SQL("alter database {name} allow_connections true").format(**names))
