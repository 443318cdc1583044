"""Rows of the table of faults: what a vendor does, how its stand-in is made to do it, and what people get to see."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from synkro.integrations.http import client as http

READ_SECONDS = 0.3
LATE_SECONDS = READ_SECONDS + 0.3
CHECK = "check"
ORDER = ("fault", "path", "times", "after", "seconds", "value", "set")
"""What the switchboard of a stand-in takes: synkro/sandbox/faults.py."""


@dataclass(frozen=True)
class Fault:
    """cause: an order to the stand-in (ORDER), `settings` that a person types in, and what the vendor's test adds."""

    what: str
    cause: Mapping[str, Any]
    colour: str
    code: str
    act: str = CHECK

    def __str__(self) -> str:
        return f"{self.act}: {self.what}"

    @property
    def order(self) -> dict[str, Any]:
        return {name: self.cause[name] for name in ORDER if name in self.cause}

    @property
    def typed(self) -> dict[str, str]:
        return dict(self.cause.get("settings", {}))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between the requests of a call, and a third of a second of patience with an answer."""
    monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: None))
    monkeypatch.setattr(http, "_timeouts", lambda *_: (READ_SECONDS, READ_SECONDS))
