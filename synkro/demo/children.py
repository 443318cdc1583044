"""The processes of the demo: started in sessions of their own, ended together or with it, none left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from synkro.infra.orphans import bound_to_us

FIRST_PORT, LAST_PORT = 8000, 8100
PATIENCE_SECONDS = 20


class Children:
    """Ctrl-C reaches only the demo itself, which then ends its children in order."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, command: list[str]) -> None:
        """Its output goes to a file: the terminal belongs to the progress display."""
        with (self._folder / f"{name}.out").open("wb") as output:
            child = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=bound_to_us(),  # noqa: PLW1509 (no threads here)
            )
        self._running.append((name, child))

    def dead(self) -> str | None:
        """The name of a child that has ended by itself."""
        return next((name for name, child in self._running if child.poll() is not None), None)

    def end(self) -> None:
        for _, child in reversed(self._running):
            child.terminate()
        ends = time.monotonic() + PATIENCE_SECONDS
        for _, child in self._running:
            try:
                child.wait(max(0.1, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        self._running.clear()


def python(*words: str) -> list[str]:
    return [sys.executable, "-m", *words]


def free_port() -> int:
    """The first port of the range that nobody holds."""
    for port in range(FIRST_PORT, LAST_PORT):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit(f"no free port between {FIRST_PORT} and {LAST_PORT}")
