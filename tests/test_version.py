"""Which release this is."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest

from synkro.version import __version__, is_newer
from tests.conftest import ROOT


def test_the_project_and_the_program_have_one_version() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


def test_the_version_is_told_without_any_setting() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "synkro", "--version"], cwd=ROOT, env={}, capture_output=True, text=True, check=True
    )
    assert told.stdout == f"synkro {__version__}\n"


def test_the_changelog_has_this_version() -> None:
    assert f"\n## [{__version__}]\n" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("release", ["1.1.1", "1.2", "1.10.0", "2.0", "9999.0.0"])
def test_a_later_release_is_newer(release: str) -> None:
    assert is_newer(release)


@pytest.mark.parametrize(
    "other",
    [__version__, "1.0.9", "0.99", "", "2", "v2.0", "2.0rc1", "2.0\n", "99999.0", "2.0.0.0.0", 2.0, None, ["2.0"]],
)
def test_an_earlier_one_or_none_at_all_is_not(other: object) -> None:
    assert not is_newer(other)
