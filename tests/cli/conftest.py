"""The command line inside of the test, and as real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from tests.conftest import ROOT
from tests.support import processes
from tests.support.practice import Practice
from tests.support.processes import Settings

Cli = Callable[..., Result]
Shell = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def cli(app: Flask) -> Cli:
    """cli("runs", "show", id, given="standard input")."""

    def run(*words: object, given: str | bytes = "") -> Result:
        done = app.test_cli_runner().invoke(args=[str(word) for word in words], input=given)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return run


def flask(*words: object, env: Settings, given: str = "") -> subprocess.CompletedProcess[str]:
    """python -m flask --app wsgi, as an operator calls it."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *map(str, words)]
    return subprocess.run(
        command, env=env, cwd=ROOT, input=given, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture
def beside(practice: Practice, var_dir: Path) -> Settings:
    """The settings of a process that works beside this test, on its engines and with its stand-ins."""
    return processes.beside(practice.urls, var_dir)


@pytest.fixture
def worker(beside: Settings, var_dir: Path) -> Iterator[subprocess.Popen[Any]]:
    with processes.worker(beside, var_dir) as process:
        yield process
