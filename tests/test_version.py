from __future__ import annotations

import tomllib

import pytest

from synkro.version import __version__, is_newer
from tests.conftest import ROOT


def test_the_project_and_the_program_have_one_version() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


@pytest.mark.parametrize("release", ["1.1.1", "1.2", "1.10.0", "2.0", "9999.0.0"])
def test_a_later_release_is_newer(release: str) -> None:
    assert is_newer(release)


@pytest.mark.parametrize(
    "other",
    [__version__, "1.0.9", "0.99", "", "2", "v2.0", "2.0rc1", "2.0\n", "99999.0", "2.0.0.0.0", 2.0, None, ["2.0"]],
)
def test_an_earlier_one_or_none_at_all_is_not(other: object) -> None:
    assert not is_newer(other)
