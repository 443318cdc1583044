"""Processes of this machine: which work in a folder, whether they live, and how they are ended."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from synkro.embedded.errors import EngineError

KILL_SECONDS = 5.0


def working_in(folder: Path, program: str) -> list[psutil.Process]:
    """Every process of this program whose working folder is `folder`, children included, zombies not."""
    seen = psutil.process_iter(["name", "cwd"])
    return [p for p in seen if p.info["cwd"] == str(folder) and (p.info["name"] or "").startswith(program)]


def noted_pid(file: Path) -> int | None:
    """The pid that a server wrote in the first line of its file; None when there is no such file or no pid in it."""
    try:
        return int(file.read_text().split(maxsplit=1)[0])
    except (OSError, ValueError, IndexError):
        return None


def alive(process: psutil.Process) -> bool:
    """Whether it still runs."""
    try:
        # In a container whose first process reaps nobody, a dead server stays a zombie for ever.
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def left(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait for their end; gives those that still live after that time."""
    deadline = time.monotonic() + seconds
    while (living := [process for process in processes if alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return living


def kill(processes: list[psutil.Process]) -> list[psutil.Process]:
    """End them without asking; gives those that withstand."""
    for process in processes:
        send(process, signal.SIGKILL)
    return left(processes, KILL_SECONDS)


def send(process: psutil.Process, number: signal.Signals) -> None:
    """Signal a process that may be gone by now. Raises EngineError when it is another user's."""
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied as error:
        raise EngineError(f"The process {process.pid} belongs to another user and cannot be stopped") from error
