"""What a capability has to do every ten seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synkro.tenancy import system_scope


@dataclass(frozen=True, slots=True)
class Duty:
    """name: stands in the log and on the health page when it was not done."""

    name: str
    do: Callable[[], object]


def over_all(act: Callable[[], object]) -> Callable[[], None]:
    """The act in the scope that sees all companies."""

    def do() -> None:
        with system_scope("tick"):
            act()

    return do
