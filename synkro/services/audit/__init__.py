"""Writing down who did what, in the same transaction as the act, as the next link of the company's chain."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from itertools import groupby
from typing import Any

from flask import has_request_context, request
from flask_login import current_user
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session, SessionTransaction

from synkro.extensions import settings
from synkro.infra import clock
from synkro.infra.log import request_id
from synkro.models import AuditLog, JobRun, Report, Trial, WebSession
from synkro.models.audit import STAFF_CHAIN
from synkro.tenancy import current_tenant_id, db, system_scope

OPERATOR = "command line"
WORKER = "worker"
UNKNOWN = "unknown"
Owned = JobRun | Report | Trial | WebSession
"""What people open by its id."""
PENDING = "audit"
"""Where the rows of a transaction wait in Session.info for its commit."""


def record(
    act: str,
    thing: str = "",
    thing_id: object = "",
    address: str = "",
    /,
    *,
    actor: str = "",
    tenant_id: uuid.UUID | None = None,
    **details: Any,
) -> None:
    """Add a row about what is done in this transaction. The caller commits.

    details: names and counts, never a value of a secret field.

    The company is that of the scope; in the system scope the one that is named, else none: an act of staff. The person
    is the one who is signed in, else actor. address: of the browser for whom a worker acts.
    """
    person = current_user if has_request_context() and current_user.is_authenticated else None
    company = current_tenant_id() or tenant_id
    row = AuditLog(
        tenant_id=company,
        at=clock.now(),
        actor_id=person.id if person else None,
        actor=person.email if person else actor or WORKER,
        act=act,
        object_type=thing,
        object_id=str(thing_id),
        address=(request.remote_addr or "") if has_request_context() else address,
        request_id=request_id(),
        details=details,
        outsider=person is not None and person.tenant_id != company,
    )
    db.session().info.setdefault(PENDING, []).append(row)


def note_foreign(kind: type[Owned], thing_id: uuid.UUID) -> None:
    """Write down that the person asked for a row of another company or person, if it is one."""
    with system_scope("staff audit: somebody asked for another company's row"):
        found: Any = db.session.get(kind, thing_id)
        if found is not None and not _is_own(found):
            tenant_id = current_user.tenant_id
            record("foreign_object", kind.__tablename__, thing_id, tenant_id=tenant_id)
        db.session.commit()


def _is_own(found: Owned) -> bool:
    if isinstance(found, WebSession):
        return bool(found.user_id == current_user.id)
    return bool(found.tenant_id == current_user.tenant_id)


def note_tampering(fields: list[str]) -> None:
    """Write down that the person sent fields that a form does not have, such as a role: their names only."""
    with system_scope("staff audit: somebody tried what a form does not offer"):
        record("form_tampered", "form", request.endpoint or "", tenant_id=current_user.tenant_id, fields=fields)
        db.session.commit()


def note_limited(kind: str) -> None:
    """Write down that further requests of a person or an address are turned away. kind: the class of limit."""
    with system_scope("staff audit: somebody asked too often"):
        # whose second factor is due counts as a visitor elsewhere, and has a name here
        who, tenant_id = getattr(current_user, "email", UNKNOWN), getattr(current_user, "tenant_id", None)
        record("limit_reached", actor=who, tenant_id=tenant_id, limit=kind)
        db.session.commit()


def digest_of(row: AuditLog) -> str:
    said = json.dumps(row.payload(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def mac_of(row: AuditLog, previous: str) -> str:
    """previous: the mac of the row before it in its chain, "" for the first."""
    link = f"{previous}|{row.chain}|{row.seq}|{row.digest}"
    return hmac.new(settings().audit_key.encode(), link.encode(), hashlib.sha256).hexdigest()


@event.listens_for(Session, "before_commit")
def _chain(session: Session) -> None:
    """Last in the transaction, so that the lock of a chain is held only briefly and always after those of the rows."""
    waiting: list[AuditLog] = session.info.pop(PENDING, [])
    # by the name of the chain: two transactions with rows for the same two chains lock them in the same order
    for chain, rows in groupby(sorted(waiting, key=lambda row: row.chain), lambda row: row.chain):
        seq, mac = _head(session, chain)
        for row in rows:
            seq += 1
            row.seq, row.digest = seq, digest_of(row)
            row.mac = mac = mac_of(row, mac)
            session.add(row)


def _head(session: Session, chain: uuid.UUID) -> tuple[int, str]:
    """(seq, mac) of the last row of the chain, which is ours to prolong until the commit."""
    session.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"audit {chain}"})
    own = func.coalesce(AuditLog.tenant_id, STAFF_CHAIN) == chain
    statement = select(AuditLog.seq, AuditLog.mac).where(own, AuditLog.seq.is_not(None))
    last = session.execute(statement.order_by(AuditLog.seq.desc()).limit(1)).one_or_none()
    return (last.seq, last.mac) if last else (0, "")


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, _previous: SessionTransaction) -> None:
    """An act that did not happen is not written down."""
    session.info.pop(PENDING, None)
