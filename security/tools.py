"""Starting a scanner: its own environment, its own folder, a time after which it is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv-security" / "bin"
WAPITI = ROOT / ".venv-security" / "wapiti" / "bin" / "wapiti"
"""Alone, since it asks for older libraries than the others."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a program has said. code None: it was ended after its time."""

    code: int | None
    output: str
    seconds: float

    @property
    def tail(self) -> str:
        return f"ended with {self.code}: {self.output.strip()[-400:]}"


def run(command: Sequence[str | Path], folder: Path, seconds: float) -> Told:
    """At a low priority and in a session of its own: it is ended together with what it has started."""
    started = time.monotonic()
    child = subprocess.Popen(
        ["nice", *map(str, command)],
        cwd=folder,
        env={**os.environ, "PYTHONWARNINGS": "ignore", "NO_COLOR": "1", "SEMGREP_SEND_METRICS": "off"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        output, _ = child.communicate()
        return Told(None, output, time.monotonic() - started)
    except BaseException:
        os.killpg(child.pid, signal.SIGKILL)  # Ctrl-C does not reach its session
        raise
    return Told(child.returncode, output, time.monotonic() - started)
