"""Which release this is."""

from __future__ import annotations

import subprocess
import sys

from synkro.version import __version__
from tests.conftest import ROOT


def test_the_version_is_told_without_any_setting() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "synkro", "--version"], cwd=ROOT, env={}, capture_output=True, text=True, check=True
    )
    assert told.stdout == f"synkro {__version__}\n"


def test_the_changelog_has_this_version() -> None:
    assert f"\n## [{__version__}]\n" in (ROOT / "CHANGELOG.md").read_text()
