"""Synkro's own PostgreSQL and Valkey under VAR_DIR, for an installation without DATABASE_URL or REDIS_URL.

Whoever needs them first starts them, under one file lock; they outlive their starter and are started again by the
next who asks when they died. When the caller is root, the servers run as the owner of VAR_DIR or, if that is root, as
the system user `pgserver`; the folders above VAR_DIR and above the servers' programs are then opened for passing
through. The sockets lie in a folder with mode 0700 of that account: it and root can connect, nobody else.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from synkro.embedded.daemon import Daemon, EngineStatus
from synkro.embedded.databases import APP, DATABASE, OWNER, address, create_database
from synkro.embedded.errors import EngineError
from synkro.embedded.folders import Folders
from synkro.embedded.postgres import Postgres
from synkro.embedded.valkey import Valkey

__all__ = ["EngineError", "EngineStatus", "Engines", "addresses", "create_database", "start", "status", "stop"]


@dataclass(frozen=True)
class Engines:
    """Addresses of the running engines.

    `database_url` and `owner_url` are for SQLAlchemy (roles synkro_app and synkro_owner, database synkro),
    `superuser_url` is for libpq (role and database postgres), `redis_url` for redis-py.
    """

    database_url: str
    owner_url: str
    superuser_url: str
    redis_url: str


def addresses(var: Path) -> Engines:
    """Where the engines of this folder answer when they run; starts nothing and makes nothing."""
    folders = Folders.of(var)
    return Engines(
        database_url=address(APP, DATABASE, folders.sockets),
        owner_url=address(OWNER, DATABASE, folders.sockets),
        superuser_url=Postgres(folders).superuser_url,
        redis_url=Valkey(folders).url,
    )


def start(var: Path, *, durable: bool = True) -> Engines:
    """Start what does not run under this folder; any number of processes may call it at once.

    `durable=False` gives up safety on power loss for speed (tests); it does not change a server that runs already.
    Raises EngineError.
    """
    folders = Folders.of(var)
    with folders.locked():
        for engine in _all(folders):
            engine.ensure(durable)
    return addresses(var)


def stop(var: Path) -> None:
    """Shut both engines of this folder down and wait for their end; safe when they do not run. Raises EngineError."""
    folders = Folders.of(var)
    if not folders.var.exists():
        return
    with folders.locked():
        for engine in _all(folders):
            engine.stop()
        with suppress(OSError):
            folders.sockets.rmdir()  # only when empty; a short one outside VAR_DIR would stay for ever


def status(var: Path) -> dict[str, EngineStatus]:
    """How the engines "postgres" and "valkey" of this folder are now; starts nothing and waits for nobody."""
    return {engine.folder.name: engine.status() for engine in _all(Folders.of(var))}


def _all(folders: Folders) -> list[Daemon]:
    return [Postgres(folders), Valkey(folders)]
