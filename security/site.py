"""One running instance of a tree: started in a process of its own, told about by a file, ended with its engines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from synkro import embedded

START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Site:
    """password: of the member. csrf: a token that is right for everybody whom X-Scan-As names."""

    url: str
    password: str
    csrf: str
    ids: dict[str, str]
    schema: dict[str, Any]

    def status(self, path: str, who: str) -> int:
        request = urllib.request.Request(f"{self.url}{path}", headers={"X-Scan-As": who})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (a loopback address of our own)
                return int(answer.status)
        except HTTPError as refusal:
            return refusal.code
        except OSError:
            return 0


@contextmanager
def serving(tree: Path, work: Path) -> Iterator[Site]:
    """work: a folder with a short path, for data and logs. Raises RuntimeError with the end of the output."""
    state, said = work / "site.json", work / "site.out"
    with said.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "security.serve", work / "var", state],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _await(child, state, said)
        yield Site(**json.loads(state.read_text(encoding="utf-8")))
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        embedded.stop(work / "var")


def _await(child: subprocess.Popen[bytes], state: Path, said: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    while not state.exists():
        if child.poll() is not None or time.monotonic() > ends:
            raise RuntimeError(f"the instance did not start:\n{said.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)
