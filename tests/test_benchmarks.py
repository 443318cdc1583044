"""What could not be measured does not count as held."""

from __future__ import annotations

import sys

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import first_report


def test_without_a_browser_the_first_report_is_skipped_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(first_report.shutil, "which", lambda _name: None)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "first"])
    assert benchmarks.main() == 1
    assert "skipped" in capsys.readouterr().out
