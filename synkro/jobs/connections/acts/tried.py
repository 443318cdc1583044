"""What comes of an act, and what acts share: a client, what an earlier act has found, the proof of a write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from synkro.errors import AppError
from synkro.integrations.base import Colour, Integration, Preview
from synkro.integrations.errors import ApiError, Gone
from synkro.integrations.supabase.client import Supabase
from synkro.integrations.supabase.errors import ROW_REFUSED, TABLES_DIFFER
from synkro.models import Trial
from synkro.services.connections import checks, integrations, trials

Client = TypeVar("Client", bound=Integration)


@dataclass(frozen=True, slots=True)
class Tried:
    """code and params make the sentence. result: what the page shows (previews), and what the next act goes on with."""

    colour: Colour
    code: str
    params: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] | None = None


Acts = dict[str, Callable[[Trial], Tried]]
"""Name of an act -> what it does."""


def client(cls: type[Client]) -> Client:
    """The tenant's connection to a service. Raises NotConnected."""
    made = integrations.build(cls.kind)
    if not isinstance(made, cls):
        raise TypeError(cls.kind)
    return made


def last(kind: str, act: str) -> dict[str, Any] | None:
    """What the newest trial of an act has found; None where it found nothing, or with other settings, or long ago."""
    return trials.result(trials.latest_of(kind).get(act))


def shown(previews: Sequence[Preview]) -> list[dict[str, Any]]:
    """As the page reads them: {title, lines}."""
    return [{"title": one.title, "lines": list(one.lines)} for one in previews]


def upsert(supabase: Supabase, table: str, rows: Sequence[dict[str, Any]]) -> int:
    """The number of rows that were confirmed. Raises as Supabase.upsert, but where none was taken it is the table."""
    try:
        return supabase.upsert(table, rows)
    except Gone as error:
        if error.code == ROW_REFUSED and not error.params["written"]:
            raise Gone(TABLES_DIFFER, rows=error.params["rows"]) from error
        raise


def counted(supabase: Supabase, trial: Trial, written: Mapping[str, int]) -> Tried:
    """The proof: how many rows of this trial lie in the client's tables now, and that no stranger sees them.

    written: table -> rows that were sent.
    """
    found = {table: supabase.count(table, (("run_id", f"eq.{trial.id}"),)) for table, rows in written.items() if rows}
    rows = sum(found.values())
    if rows < sum(written.values()):
        return Tried("red", "write_not_seen", {"rows": rows, "sent": sum(written.values())})
    if exposed := _exposed(supabase, found):
        return Tried("red", "supabase_public_data", {"table": exposed})
    return Tried("green", "write_ok", {"rows": rows}, {"written": found})


def _exposed(supabase: Supabase, tables: Iterable[str]) -> str | None:
    """A table of which strangers see rows; its service is checked at once. Where it cannot be asked, a check will."""
    try:
        exposed = supabase.open_to_strangers(tables)
    except ApiError:
        return None
    if exposed:
        with suppress(AppError):  # no worker can be told: the next check sees it, too
            checks.request(Supabase.kind)
    return exposed
