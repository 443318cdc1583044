"""Rows of the table of faults: what a vendor does, how its stand-in is made to do it, and what people get to see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
