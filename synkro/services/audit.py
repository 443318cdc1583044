"""Writing down who did what, in the same transaction as the act."""

from __future__ import annotations

import uuid
from typing import Any

from flask import has_request_context, request
from flask_login import current_user

from synkro.log import request_id
from synkro.models import AuditLog, JobRun, Report
from synkro.tenancy import current_tenant_id, db, system_scope

OPERATOR = "command line"
WORKER = "worker"


def record(act: str, thing: str = "", thing_id: object = "", *, actor: str = "", **details: Any) -> None:
    """Add a row; the caller commits. details: names and counts, never a value of a secret field.

    The tenant is the one of the scope; the person, the one who is signed in, else actor.
    """
    person = current_user if has_request_context() and current_user.is_authenticated else None
    row = AuditLog(
        tenant_id=current_tenant_id(),
        actor_id=person.id if person else None,
        actor=person.email if person else actor or WORKER,
        act=act,
        object_type=thing,
        object_id=str(thing_id),
        address=(request.remote_addr or "") if has_request_context() else "",
        request_id=request_id(),
        details=details,
    )
    db.session.add(row)


def record_for(tenant_id: uuid.UUID | None, act: str, **details: Any) -> None:
    """The same for an act outside a tenant's scope, such as a refused sign-in. Needs the system scope."""
    record(act, **details)
    for row in db.session.new:
        if isinstance(row, AuditLog) and row.tenant_id is None:
            row.tenant_id = tenant_id


def note_foreign(kind: type[JobRun | Report], thing_id: uuid.UUID) -> None:
    """Write down that the person asked for a row of another company, if it is one. Commits."""
    with system_scope("staff audit: somebody asked for another company's row"):
        if db.session.get(kind, thing_id) is not None:
            record_for(current_user.tenant_id, "foreign_object", thing=kind.__tablename__, thing_id=thing_id)
        db.session.commit()
