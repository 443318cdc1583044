"""A killed run of the tests leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import ROOT
from tests.support import leftovers

PATIENCE = 120
"""Seconds for two workers to start their engines, and for the end of all of them."""


def soon(happens: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if happens():
            return True
        time.sleep(0.1)
    return False


def engines(folder: Path) -> list[Path]:
    """The pid files of the PostgreSQL servers: one of each worker that has begun."""
    return list(folder.glob("*/*/postgres/postmaster.pid"))


def test_a_run_that_is_killed_in_the_middle_leaves_nothing() -> None:
    """As the system does it: the signal reaches the whole group of processes."""
    folder = leftovers.folder()
    command = [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", "tests/infra/test_pace.py"]
    run = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "TESTS_FOLDER": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        begun = soon(lambda: len(engines(folder)) == 2)
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    assert begun
    assert soon(lambda: list(leftovers.working_for(folder)) == [])
    assert soon(lambda: list(folder.iterdir()) == [])
