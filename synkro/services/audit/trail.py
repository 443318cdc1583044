"""Reading the audit, newest first. Whose rows are read is decided by the scope."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, not_, select

from synkro.models import AuditLog
from synkro.models.audit import STAFF_CHAIN
from synkro.services.shared.paging import CursorPage
from synkro.tenancy import current_tenant_id, db, end_reading, system_scope

PAGE = 100

HIDDEN = and_(AuditLog.actor_id.is_not(None), AuditLog.outsider.is_not(False))
"""From a company: who acted in it without belonging to it. Rows that do not say count as such: no name is let out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows are wanted. since <= at < until. actor: a part of it. company: STAFF_CHAIN for acts of no company."""

    since: datetime | None = None
    until: datetime | None = None
    actor: str = ""
    company: uuid.UUID | None = None
    act: str = ""

    def names(self) -> list[str]:
        """What the rows are narrowed by."""
        return [name for name in self.__slots__ if getattr(self, name)]


@dataclass(frozen=True, slots=True)
class Entry:
    """A row as its reader may see it. For a company, actor and address are '' where one of staff acted.

    is_known False: the row is from before it was written down whether staff acted.
    """

    id: int
    seq: int | None
    at: datetime
    tenant_id: uuid.UUID | None
    actor: str
    address: str
    act: str
    object_type: str
    object_id: str
    request_id: str
    details: dict[str, Any]
    is_known: bool = True


def page(asked: Asked, before: int, after: int) -> CursorPage[Entry]:
    """PAGE rows, newest first, on the older side of the id `before` or, where it is 0, on the newer side of `after`."""
    if before or not after:
        found = rows(asked, before, PAGE + 1)
        shown = found[:PAGE]
        return CursorPage(shown, shown[0].id if before and shown else 0, shown[-1].id if len(found) > PAGE else 0)
    found = _read(_wanted(asked).where(AuditLog.id > after).order_by(AuditLog.id).limit(PAGE + 1))
    shown = found[:PAGE][::-1]
    return CursorPage(shown, shown[0].id if len(found) > PAGE else 0, shown[-1].id if shown else 0)


def page_of_all(asked: Asked, before: int, after: int) -> CursorPage[Entry]:
    with system_scope("staff audit: the acts of every company are shown"):
        return page(asked, before, after)


def rows(asked: Asked, before: int, size: int) -> list[Entry]:
    """The next rows on the older side of the id `before`; 0: from the newest."""
    statement = _wanted(asked).order_by(AuditLog.id.desc()).limit(size)
    return _read(statement.where(AuditLog.id < before) if before else statement)


def _read(statement: Select[AuditLog, bool]) -> list[Entry]:
    found = [_entry(row) for row in db.session.execute(statement)]
    end_reading()
    return found


def _wanted(asked: Asked) -> Select[AuditLog, bool]:
    return select(AuditLog, HIDDEN.label("hidden")).where(*_conditions(asked))


def _conditions(asked: Asked) -> Iterator[ColumnElement[bool]]:
    if asked.since:
        yield AuditLog.at >= asked.since
    if asked.until:
        yield AuditLog.at < asked.until
    if asked.company:
        yield func.coalesce(AuditLog.tenant_id, STAFF_CHAIN) == asked.company
    if asked.act:
        yield AuditLog.act == asked.act
    if asked.actor:
        # PostgreSQL takes no NUL in a text
        yield AuditLog.actor.icontains(asked.actor.replace("\0", ""), autoescape=True)
        if current_tenant_id():
            yield not_(HIDDEN)  # what is not shown cannot be guessed by searching for it


def _entry(row: Row[AuditLog, bool]) -> Entry:
    one, hidden = row
    hidden = hidden and current_tenant_id() is not None
    return Entry(
        id=one.id,
        seq=one.seq,
        at=one.at,
        tenant_id=one.tenant_id,
        actor="" if hidden else one.actor,
        address="" if hidden else one.address,
        act=one.act,
        object_type=one.object_type,
        object_id=one.object_id,
        request_id=one.request_id,
        details=one.details,
        is_known=one.outsider is not None,
    )
