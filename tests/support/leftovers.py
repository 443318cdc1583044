"""Nothing that a test has started outlives the pytest process, not even one that was interrupted or killed.

The engines are nobody's children on purpose, so a watch of our own waits for the end of the process and ends whatever
names its folder then: as working folder, in its command or in its environment.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from synkro.infra.orphans import PR_SET_PDEATHSIG, _prctl

ROOT = Path(__file__).resolve().parents[2]
POLITE_SECONDS = 10


def folder() -> Path:
    """A new folder of this process, for engines too: its path is short, as that of a socket may not be long."""
    made = Path(tempfile.mkdtemp(prefix="sy", dir=_watched()[0]))
    made.chmod(0o755)
    return made


def end() -> None:
    """Before the process ends by itself: so that all is gone when it is."""
    if _watched.cache_info().currsize:
        _, watch = _watched()
        watch.terminate()
        watch.wait()


def ended_with_us() -> None:
    """From now on a fork of this process is killed when this process ends. Forks of forks are their parents' affair."""
    ours = os.getpid()

    def bind() -> None:
        if _prctl is not None and os.getppid() == ours:
            _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    os.register_at_fork(after_in_child=bind)


@functools.cache
def _watched() -> tuple[Path, subprocess.Popen[bytes]]:
    """The folder of all folders, and the watch over it."""
    root = Path(tempfile.mkdtemp(prefix="sy", dir=os.environ.get("TESTS_FOLDER", "/tmp")))  # noqa: S108 (private)
    root.chmod(0o755)
    command = [sys.executable, "-m", "tests.support.leftovers", str(root), str(os.getpid())]
    nothing = subprocess.DEVNULL
    watch = subprocess.Popen(command, cwd=ROOT, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
    return root, watch


def working_for(root: Path) -> Iterator[psutil.Process]:
    """All processes that name this folder or one in it, without the watch over it."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            command = process.cmdline()
            named = [process.cwd(), *command, *process.environ().values()]
            if "tests.support.leftovers" not in command and any(str(root) in text for text in named):
                yield process


def sweep(root: Path) -> None:
    """Politely first: a killed PostgreSQL leaves its shared memory behind."""
    while found := list(working_for(root)):
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        for process in psutil.wait_procs(found, timeout=POLITE_SECONDS)[1]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
    shutil.rmtree(root, ignore_errors=True)


def watch(root: Path, pid: int) -> None:
    """Until that process ends or says that it is about to."""

    def told(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, told)
    with suppress(KeyboardInterrupt, psutil.NoSuchProcess):
        if os.getppid() == pid:
            psutil.Process(pid).wait()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sweep(root)


if __name__ == "__main__":
    watch(Path(sys.argv[1]), int(sys.argv[2]))
