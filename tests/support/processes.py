"""Processes of the product beside a test, on its engines and with its stand-ins."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

Settings = dict[str, str]


def settings_of(var_dir: Path, **more: str) -> Settings:
    """An environment without the settings of the machine that runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "APP_ENV": "test", "VAR_DIR": str(var_dir), "LOG_LEVEL": "WARNING", **more}


def beside(urls: Mapping[str, str], var_dir: Path) -> Settings:
    """urls: vendor -> address of its stand-in, and of whatever else may be reached."""
    return settings_of(
        var_dir,
        AMOCRM_BASE_URL=urls["amocrm"],
        AMOCRM_OAUTH_URL=urls["amocrm"],
        RADIST_BASE_URL=urls["radist"],
        GEMINI_BASE_URL=urls["gemini"],
        TELEGRAM_BASE_URL=urls["telegram"],
        OUTBOUND_ALLOW_HOSTS=",".join(url.removeprefix("http://") for url in urls.values()),
    )


@contextmanager
def worker(settings: Settings, var_dir: Path) -> Iterator[subprocess.Popen[Any]]:
    """flask worker, ended as a service manager does it."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    with (var_dir / "worker.out").open("wb") as out:
        process = subprocess.Popen(command, env=settings, cwd=ROOT, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.terminate()
        code = process.wait(timeout=120)
    assert code == 0
