"""The command line inside of the test, and as real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from tests.conftest import ROOT
from tests.practice import Practice

Cli = Callable[..., Result]
Shell = Callable[..., "subprocess.CompletedProcess[str]"]
Settings = dict[str, str]


@pytest.fixture
def cli(app: Flask) -> Cli:
    """cli("runs", "show", id, given="standard input")."""

    def run(*words: object, given: str | bytes = "") -> Result:
        done = app.test_cli_runner().invoke(args=[str(word) for word in words], input=given)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return run


def settings_of(var_dir: Path, **more: str) -> Settings:
    """An environment without the settings of the machine that runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "APP_ENV": "test", "VAR_DIR": str(var_dir), "LOG_LEVEL": "WARNING", **more}


def flask(*words: object, env: Settings, given: str = "") -> subprocess.CompletedProcess[str]:
    """python -m flask --app wsgi, as an operator calls it."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *map(str, words)]
    return subprocess.run(
        command, env=env, cwd=ROOT, input=given, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def beside(practice: Practice, var_dir: Path) -> Settings:
    """The settings of a process that works beside this test, on its engines and with its stand-ins."""
    urls = practice.urls
    return settings_of(
        var_dir,
        AMOCRM_BASE_URL=urls["amocrm"],
        AMOCRM_OAUTH_URL=urls["amocrm"],
        RADIST_BASE_URL=urls["radist"],
        GEMINI_BASE_URL=urls["gemini"],
        TELEGRAM_BASE_URL=urls["telegram"],
        OUTBOUND_ALLOW_HOSTS=",".join(url.removeprefix("http://") for url in urls.values()),
    )


@pytest.fixture
def worker(beside: Settings, var_dir: Path) -> Iterator[subprocess.Popen[Any]]:
    """flask worker, ended as a service manager does it."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    with (var_dir / "worker.out").open("wb") as out:
        process = subprocess.Popen(command, env=beside, cwd=ROOT, stdout=out, stderr=out)
    yield process
    process.terminate()
    assert process.wait(timeout=30) == 0
