"""What comes of an act, and what acts share: a client, what an earlier act has found, the proof of a write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from synkro.integrations.base import Colour, Integration, Preview
from synkro.integrations.supabase import Supabase
from synkro.models import Trial
from synkro.services.connections import integrations, trials

Client = TypeVar("Client", bound=Integration)


@dataclass(frozen=True, slots=True)
class Tried:
    """code and params make the sentence. result: what the page shows (previews), and what the next act goes on with."""

    colour: Colour
    code: str
    params: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] | None = None


def client(cls: type[Client]) -> Client:
    """The tenant's connection to a service. Raises NotConnected."""
    made = integrations.build(cls.kind)
    if not isinstance(made, cls):
        raise TypeError(cls.kind)
    return made


def last(kind: str, act: str) -> dict[str, Any] | None:
    """What the newest trial of an act has found; None where it found nothing or is too old."""
    return trials.result(trials.latest(kind, act))


def shown(previews: Sequence[Preview]) -> list[dict[str, Any]]:
    """As the page reads them: {title, lines}."""
    return [{"title": one.title, "lines": list(one.lines)} for one in previews]


def counted(supabase: Supabase, trial: Trial, written: Mapping[str, int]) -> Tried:
    """The proof: how many rows of this trial lie in the client's tables now. written: table -> rows that were sent."""
    found = {table: supabase.count(table, (("run_id", f"eq.{trial.id}"),)) for table, rows in written.items() if rows}
    rows = sum(found.values())
    if rows < sum(written.values()):
        return Tried("red", "write_not_seen", {"rows": rows, "sent": sum(written.values())})
    return Tried("green", "write_ok", {"rows": rows}, {"written": found})
