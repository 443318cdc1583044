"""One engine's server process: how it is started apart from its starter, found again, waited for and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import psutil  # type: ignore[import-untyped]

from synkro.embedded.errors import EngineError
from synkro.embedded.folders import Account, Folders, give, make_private, open_way
from synkro.embedded.processes import alive, kill, left, noted_pid, send, working_in

READY_SECONDS = 120.0  # recovery after a crash of a large store is slow, and killing it would not make it faster
SOCKET_SECONDS = 10.0
STOP_SECONDS = 60.0
ORPHAN_SECONDS = 5.0
LARGEST_LOG = 4_000_000  # bytes; beyond it the log begins anew at the next start
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}  # the caller's PG* variables must not steer a server
# The shell ends at once, so the server is nobody's child: no zombie when it dies, no signal from the starter's group.
DETACHED = '"$@" >&2 </dev/null & echo $!'


@dataclass(frozen=True)
class EngineStatus:
    """What is known about one engine; `pid` and `since` (UTC) are None and `version` empty when it does not run."""

    running: bool
    pid: int | None
    since: datetime | None
    version: str
    folder: Path
    socket: Path


class Daemon(ABC):
    """A server of one place. Callers hold the place's lock for `ensure` and `stop`."""

    title: ClassVar[str]
    program: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, folders: Folders, folder: str, socket: str, pid_file: str) -> None:
        self.folders = folders
        self.folder = folders.var / folder
        self.socket = folders.sockets / socket
        self.pid_file = self.folder / pid_file
        self.log = folders.var / "log" / f"{folder}.log"

    @abstractmethod
    def ready(self) -> bool:
        """Whether the server answers requests now; False within seconds otherwise."""

    @abstractmethod
    def version(self) -> str:
        """The running server's version, empty when it does not tell."""

    @abstractmethod
    def prepare(self, account: Account | None, durable: bool) -> Sequence[str]:
        """Make data and settings where they are missing; give the command that runs the server in the foreground."""

    def ensure(self, durable: bool) -> None:
        """Start the server unless it answers; returns when it answers. Raises EngineError."""
        if self.ready():
            return
        process = self.process()
        if process and not self._socket_appears():
            # Alive but out of reach: a cleaner of temporary files took the socket away.
            self.stop()
            process = None
        self._await(process or self._launch(durable))

    def stop(self) -> None:
        """End the server and whatever runs in its data folder, politely first; returns when all are gone."""
        everyone = self.processes()
        main = self.process()
        for process in [main] if main else everyone:
            send(process, self.stop_signal)
        if kill(left(everyone, STOP_SECONDS)):
            raise EngineError(f"{self.title} does not stop, see {self.log}")

    def status(self) -> EngineStatus:
        """A snapshot without the lock; starts nothing."""
        running = self.ready()
        process = self.process() if running else None
        since = datetime.fromtimestamp(process.create_time(), UTC) if process else None
        version = self.version() if running else ""
        return EngineStatus(running, process.pid if process else None, since, version, self.folder, self.socket)

    def process(self) -> psutil.Process | None:
        """The server named by the pid file, only if it truly works in this data folder."""
        pid = noted_pid(self.pid_file)
        return next((process for process in self.processes() if process.pid == pid), None) if pid else None

    def processes(self) -> list[psutil.Process]:
        """The server and its children, or what a killed one left of them."""
        return working_in(self.folder, self.program)

    def _socket_appears(self) -> bool:
        deadline = time.monotonic() + SOCKET_SECONDS
        while not self.socket.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.socket.exists()

    def _launch(self, durable: bool) -> psutil.Process | None:
        """Start the server in a session of its own; gives its process unless that has ended already."""
        self._clear_way()
        try:
            account = self.folders.account()
            self.log.parent.mkdir(exist_ok=True)
            self.folders.share(self.log.parent)
            make_private(self.folders.sockets, account)
            open_way(self.folder, account)
            command = self.prepare(account, durable)
            return psutil.Process(int(self.run(["/bin/sh", "-c", DETACHED, "sh", *command], self.folder, account)))
        except psutil.NoSuchProcess:
            return None
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise EngineError(f"{self.title} cannot be started, see {self.log}: {error}") from error

    def run(self, command: Sequence[str], folder: Path, account: Account | None) -> str:
        """Run a command as the engines' account in its own session, errors to the log; gives what it printed."""
        with self._open_log(account) as log:
            done = subprocess.run(
                command,
                cwd=folder,
                env=ENVIRONMENT,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                umask=0o077,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                check=True,
                text=True,
                timeout=READY_SECONDS,
            )
        return done.stdout

    @contextmanager
    def _open_log(self, account: Account | None) -> Iterator[int]:
        handle = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            give(handle, account)
            if os.fstat(handle).st_size > LARGEST_LOG:
                os.ftruncate(handle, 0)
            yield handle
        finally:
            os.close(handle)

    def _clear_way(self) -> None:
        """Wait for children that a killed server left behind, and drop lock files that name somebody else."""
        kill(left(self.processes(), ORPHAN_SECONDS))
        # A pid used again (or a zombie's) makes PostgreSQL believe that it runs already; a dead one it judges itself.
        for note in (self.pid_file, self.socket.with_name(f"{self.socket.name}.lock")):
            if (pid := noted_pid(note)) and psutil.pid_exists(pid):
                note.unlink(missing_ok=True)

    def _await(self, started: psutil.Process | None) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self.ready():
            # The pid file is asked too: the launch of a starter that was killed may have won the race against ours.
            if not (started and alive(started)) and not self.process():
                raise EngineError(f"{self.title} ended while starting, see {self.log}")
            if time.monotonic() > deadline:
                raise EngineError(f"{self.title} does not answer after {READY_SECONDS:.0f} s, see {self.log}")
            time.sleep(0.02)
