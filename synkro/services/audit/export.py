"""The audit row after row, for a file."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

from synkro.services import audit
from synkro.services.audit.trail import Asked, Entry, rows
from synkro.tenancy import db, system_scope, tenant_scope

BATCH = 1_000
MOST_EXPORTED = 100_000
"""Rows of a file: more than anybody reads."""

Read = Callable[[Asked, int, int], list[Entry]]


def rows_of_all(asked: Asked, before: int, size: int) -> list[Entry]:
    with system_scope("staff audit: the acts of every company are exported"):
        return rows(asked, before, size)


def rows_of(tenant_id: uuid.UUID) -> Read:
    """Of this company, although the scope of the request may be over when a file is sent."""

    def read(asked: Asked, before: int, size: int) -> list[Entry]:
        with tenant_scope(tenant_id):
            return rows(asked, before, size)

    return read


def exported(read: Read, asked: Asked) -> Iterator[Entry]:
    """Up to one row more than MOST_EXPORTED, which tells that there are more. Between batches no connection is held."""
    before, left = 0, MOST_EXPORTED + 1
    while left and (found := read(asked, before, min(BATCH, left))):
        yield from found
        before, left = found[-1].id, left - len(found)


def note_export(asked: Asked) -> None:
    """Write down that rows leave the house, and what they were narrowed by: the names only."""
    audit.record("audit_exported", "audit", fields=asked.names())
    db.session.commit()


def note_export_of_all(asked: Asked) -> None:
    with system_scope("staff audit: an export of every company's acts is written down"):
        note_export(asked)
