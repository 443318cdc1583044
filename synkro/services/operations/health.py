"""Is the installation well: database, Redis, tick, rights, keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from synkro.crypto import CannotOpen
from synkro.extensions import redis, settings, vault
from synkro.infra import clock
from synkro.models import SystemMark
from synkro.services.shared.sealed import SealedText
from synkro.tenancy import db, end_reading

LATE_TICKS = 6
CANARY = "key_canary"
WORD = "the key fits"
SEALED = SealedText("word that tells the key", SystemMark.value, (SystemMark.name,), str, SystemMark.name == CANARY)
"""Its context is its name. Sealed anew after all else: with a key that is still needed gone, nothing starts."""


class Unfit(Exception):
    """With these settings nothing may start. The text says why."""


class OpenToAll(Unfit):
    """Row-level security does not bind the role of DATABASE_URL: every company would read every other."""


class WrongKey(Unfit):
    """FIELD_ENCRYPTION_KEY is not the key that this database was sealed with."""


def state() -> dict[str, str]:
    """Each part up or down; the tick may be late, too, or partly: it comes, and not all that it has to do is done.

    Names no version and no address.
    """
    return {"database": _database(), "redis": _redis(), "tick": _tick()}


def _database() -> str:
    try:
        db.session.execute(text("select 1"))
    except SQLAlchemyError:
        return "down"
    finally:
        db.session.rollback()
    return "up"


def _redis() -> str:
    try:
        redis().ping()
    except (RedisError, OSError):
        return "down"
    return "up"


def _tick() -> str:
    try:
        mark = _tick_mark()
    except SQLAlchemyError:
        return "down"
    if mark is None:
        return "down"
    if (clock.now() - mark.at).total_seconds() >= LATE_TICKS * settings().tick_seconds:
        return "late"
    return "partly" if mark.value else "up"


def _tick_mark() -> SystemMark | None:
    mark = db.session.get(SystemMark, "tick", populate_existing=True)
    end_reading()
    return mark


def last_tick() -> datetime | None:
    mark = _tick_mark()
    return mark.at if mark else None


def undone() -> list[str]:
    """The duties that failed in the last tick."""
    mark = _tick_mark()
    return mark.value.split() if mark else []


def mark_tick(failed: Sequence[str] = ()) -> None:
    """A tick has come to its end. failed: the names of the duties that it could not do."""
    _write_mark("tick", " ".join(failed))


def _write_mark(name: str, value: str) -> None:
    now = clock.now()
    statement = insert(SystemMark).values(name=name, value=value, at=now)
    db.session.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value, "at": now}))
    db.session.commit()


def verify() -> None:
    """What every process asks before it starts. Raises Unfit."""
    verify_rights()
    verify_key()


def verify_rights() -> None:
    """Raises OpenToAll."""
    if not is_bound():
        raise OpenToAll(
            "The role in DATABASE_URL is above row-level security: it must be no superuser, not BYPASSRLS and must not "
            "inherit synkro_system. See docs/production.md"
        )


def is_bound() -> bool:
    """The role that we connect as sees the rows of one company only."""
    statement = text(
        "select rolsuper or rolbypassrls or pg_has_role(rolname, 'synkro_system', 'usage') "
        "from pg_roles where rolname = current_user"
    )
    with db.engine.connect() as connection:
        return not connection.execute(statement).scalar_one()


def verify_key() -> None:
    """Open the canary word, or seal it at the first start. Raises WrongKey."""
    mark = db.session.get(SystemMark, CANARY)
    end_reading()
    if mark is None:
        _write_mark(CANARY, vault().seal(WORD, CANARY))
        return
    try:
        fits = vault().open(mark.value, CANARY) == WORD
    except CannotOpen:
        fits = False
    if not fits:
        raise WrongKey("FIELD_ENCRYPTION_KEY is not the key that the stored secrets were sealed with")
