"""The processes of a measurement: started in sessions of their own, ended together, none left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

PATIENCE_SECONDS = 20

T = TypeVar("T")


class Processes:
    """What they say goes to a file each: the terminal belongs to the figures."""

    def __init__(self, folder: Path, root: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._root = root
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, env: Mapping[str, str], *module_and_words: str) -> int:
        """A process of this interpreter; its id."""
        with self._said(name).open("wb") as output:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", *module_and_words],
                cwd=self._root,
                env=dict(env),
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        return self._running[name].pid

    def patiently(self, ask: Callable[[], T | None], seconds: float, pause: float = 0.05) -> T:
        """The first answer that is something. Ends the program when a process died or the time is up."""
        ends = time.monotonic() + seconds
        while (found := ask()) is None:
            for name, process in self._running.items():
                if process.poll() is not None:
                    raise SystemExit(f"{name} has ended by itself:\n{self._said(name).read_text()[-3000:]}")
            if time.monotonic() > ends:
                raise SystemExit(f"not done within {seconds:.0f} s")
            time.sleep(pause)
        return found

    def end(self, *names: str) -> None:
        """End these, or all; wait, and kill what does not end in time."""
        chosen = {name: self._running.pop(name) for name in names or tuple(reversed(self._running))}
        for process in chosen.values():
            process.terminate()
        ends = time.monotonic() + PATIENCE_SECONDS
        for process in chosen.values():
            try:
                process.wait(max(0.1, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _said(self, name: str) -> Path:
        return self._folder / f"{name}.out"
