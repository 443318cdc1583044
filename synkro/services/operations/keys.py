"""The keys that seal: which of them are in use, and moving every sealed value to the current one while all runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, update

from synkro.crypto import CannotOpen
from synkro.extensions import vault
from synkro.services import audit
from synkro.services.auth import second_factor
from synkro.services.connections import secrets, trials
from synkro.services.mail import outbox
from synkro.services.operations import health
from synkro.services.reports import artifacts
from synkro.services.shared.sealed import Found, Query, SealedText
from synkro.tenancy import db, end_reading, system_scope

SEALED = (secrets.SEALED, second_factor.SEALED, outbox.SEALED, artifacts.SEALED, trials.SEALED)
LAST = health.SEALED
PATIENCE = 60.0
"""Seconds to wait for rows that others hold. The longest hold one during a call to a vendor."""
PAUSE = 0.5

Progress = Callable[[str, int, int], None]
"""Name of the column, values moved so far, values to move."""


@dataclass(slots=True)
class Moved:
    """Values of one column. current: were there before. held: rows that somebody held all the time."""

    name: str
    current: int
    stale: int
    moved: int = 0
    unopened: int = 0
    held: int = 0


@dataclass(slots=True)
class Survey:
    """Values of one column by the id of the key that they name."""

    name: str
    opened: Counter[str] = field(default_factory=Counter)
    unopened: Counter[str] = field(default_factory=Counter)


def rotate(tell: Progress, *, actor: str) -> list[Moved]:
    """Seal anew with the current key whatever another one has sealed. Stopped anywhere, it can be run again.

    Each batch is a transaction of its own. A value that does not open stays as it is, and so does the word that tells
    the key while a row was held: the old key is needed then.
    """
    with system_scope("keys: what every company has sealed is sealed anew"):
        done = [_move(sealed, tell) for sealed in SEALED]
        if not any(one.held for one in done):
            done.append(_move(LAST, tell))
        audit.record(
            "keys_rotated",
            "key",
            vault().current,
            actor=actor,
            moved=sum(one.moved for one in done),
            unopened=sum(one.unopened for one in done),
            held=sum(one.held for one in done),
        )
        db.session.commit()
    return done


def rehearse(tell: Progress) -> list[Moved]:
    """What rotate would do, tried on every value. Writes nothing and holds nobody up."""
    with system_scope("keys: every sealed value is tried, none is changed"):
        return [_try(sealed, tell) for sealed in (*SEALED, LAST)]


def survey() -> list[Survey]:
    """Open everything."""
    with system_scope("keys: every sealed value is opened and counted"):
        return [_survey(sealed) for sealed in (*SEALED, LAST)]


def _move(sealed: SealedText, tell: Progress) -> Moved:
    count = _counted(sealed)
    count.held = len(_pass(sealed, count, tell))
    until = time.monotonic() + PATIENCE
    while count.held and time.monotonic() < until:
        time.sleep(PAUSE)
        count.held = len(_pass(sealed, count, tell))
    return count


def _pass(sealed: SealedText, count: Moved, tell: Progress) -> set[Any]:
    """Once through all rows that nobody holds. Returns the ids of those that somebody did hold.

    Rows are read under their lock, so no value that somebody saves meanwhile is lost; a row that is held is left to a
    later pass, so nobody waits for us longer than for a batch, and we for nobody.
    """
    count.unopened, broken = 0, set()
    for rows in _batches(sealed, _stale(sealed).with_for_update(skip_locked=True, of=sealed.table)):
        fresh = [(row[0], *_resealed(sealed, row)) for row in rows]
        _write(sealed, [{"which": key, "fresh": value} for key, value, moved, _ in fresh if moved])
        db.session.commit()
        count.moved += sum(moved for _, _, moved, _ in fresh)
        count.unopened += sum(unopened for _, _, _, unopened in fresh)
        broken |= {key for key, _, _, unopened in fresh if unopened}
        tell(sealed.name, count.moved, count.stale)
    return _stale_ids(sealed) - broken


def _try(sealed: SealedText, tell: Progress) -> Moved:
    count = _counted(sealed)
    for rows in _batches(sealed, _stale(sealed)):
        end_reading()
        for _, moved, unopened in (_resealed(sealed, row) for row in rows):
            count.moved += moved
            count.unopened += unopened
        tell(sealed.name, count.moved, count.stale)
    return count


def _survey(sealed: SealedText) -> Survey:
    found = Survey(sealed.name)
    for rows in _batches(sealed, sealed.rows()):
        end_reading()
        for row in rows:
            for name, piece in sealed.pieces(row[1]).items():
                kind = found.unopened if _reseal(sealed, row, name, piece) is None else found.opened
                kind[sealed.key_of(piece)] += 1
    return found


def _stale(sealed: SealedText) -> Query:
    return sealed.rows().where(sealed.stale(vault().current))


def _batches(sealed: SealedText, statement: Query) -> Iterator[Sequence[Found]]:
    statement = statement.limit(sealed.batch)
    rows = db.session.execute(statement).all()
    while rows:
        yield rows
        rows = db.session.execute(statement.where(sealed.id > rows[-1][0])).all()
    end_reading()


def _resealed(sealed: SealedText, row: Found) -> tuple[Any, int, int]:
    """(the value as it should be, how many of its pieces were moved, how many do not open)."""
    pieces, moved, unopened = dict(sealed.pieces(row[1])), 0, 0
    for name, piece in pieces.items():
        if sealed.key_of(piece) == vault().current:
            continue
        fresh = _reseal(sealed, row, name, piece)
        if fresh is None:
            unopened += 1
        else:
            pieces[name], moved = fresh, moved + 1
    return sealed.joined(pieces), moved, unopened


def _reseal(sealed: SealedText, row: Found, name: str, piece: Any) -> Any:
    """None: it does not open."""
    try:
        return sealed.reseal(vault(), piece, sealed.aad(tuple(row)[2:], name))
    except CannotOpen:
        return None


def _write(sealed: SealedText, values: list[dict[str, Any]]) -> None:
    """Only this column: neither the version of the settings nor the outcome of their check changes."""
    if values:
        column = sealed.table.c[sealed.column.key]
        statement = update(sealed.table).where(sealed.id == bindparam("which")).values({column: bindparam("fresh")})
        db.session.connection().execute(statement, values)


def _counted(sealed: SealedText) -> Moved:
    keys = {str(key): int(number) for key, number in db.session.execute(sealed.keys())}
    end_reading()
    current = keys.pop(vault().current, 0)
    return Moved(sealed.name, current, sum(keys.values()))


def _stale_ids(sealed: SealedText) -> set[Any]:
    found = set(db.session.execute(_stale(sealed).with_only_columns(sealed.id)).scalars())
    end_reading()
    return found
