"""Hosts of a company's own that a connection may be made to: asked for by its people, agreed to by a super_admin."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from synkro.errors import AppError
from synkro.i18n import _l
from synkro.infra import clock
from synkro.integrations import INTEGRATIONS
from synkro.integrations.own_host import own_host
from synkro.models import ApprovedHost, IntegrationConfig, User
from synkro.services import audit
from synkro.services.companies import staff
from synkro.tenancy import current_tenant_id, db, tenant_scope


@dataclass(frozen=True, slots=True)
class HostRequest:
    """A host that a check has refused. asked_at: None where nobody has asked staff for it yet."""

    host: str
    asked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What staff see. asked_by: an e-mail address, '' of somebody who is gone. approved_at: None while it waits."""

    id: uuid.UUID
    kind: str
    host: str
    asked_by: str
    asked_at: datetime
    approved_at: datetime | None

    @property
    def service(self) -> str:
        return str(INTEGRATIONS[self.kind].title)


def approved(kind: str) -> frozenset[str]:
    """host:port of what staff have agreed to, for one service of the tenant in scope."""
    agreed = select(ApprovedHost.host).where(ApprovedHost.kind == kind, ApprovedHost.approved_at.is_not(None))
    return frozenset(db.session.execute(agreed).scalars())


def host_request(config: IntegrationConfig | None) -> HostRequest | None:
    """What there is to ask for: the saved address, where its check was refused for its host. None: nothing."""
    if config is None or not config.check_code or config.check_code != INTEGRATIONS[config.kind].host_refused:
        return None
    typed = (field.name for field in INTEGRATIONS[config.kind].fields if field.host and not field.choices)
    host = own_host(next((str(config.settings[name]) for name in typed if config.settings.get(name)), ""))
    if host is None:
        return None
    known = select(ApprovedHost).where(ApprovedHost.kind == config.kind, ApprovedHost.host == host)
    row = db.session.execute(known).scalar_one_or_none()
    return None if row and row.approved_at else HostRequest(host, row.asked_at if row else None)


def ask(kind: str, by: User) -> str:
    """Ask staff to agree to the host of the saved address; twice is once. The host:port.

    Raises AppError: 404 where nothing is saved, 409 where no check was refused for a host.
    """
    saved = select(IntegrationConfig).where(IntegrationConfig.kind == kind)
    config = db.session.execute(saved).scalar_one_or_none() if kind in INTEGRATIONS else None
    if config is None:
        raise AppError(404, "nothing_saved", _l("This service is not connected yet"))
    wished = host_request(config)
    if wished is None:
        raise AppError(409, "no_host_to_approve", _l("There is no address that waits for an approval. Press Check."))
    values = {"id": uuid.uuid4(), "tenant_id": current_tenant_id(), "kind": kind, "host": wished.host}
    fresh = insert(ApprovedHost).values(**values, asked_by=by.id, asked_at=clock.now()).on_conflict_do_nothing()
    if db.session.execute(fresh.returning(ApprovedHost.id)).scalar_one_or_none():
        audit.record("host_asked", "integration", kind, host=wished.host)
    db.session.commit()
    return wished.host


def waiting(tenant_id: uuid.UUID) -> list[Asked]:
    """For staff: hosts that a company asks for, then those that were agreed to."""
    statement = (
        select(ApprovedHost, User.email)
        .outerjoin(User, User.id == ApprovedHost.asked_by)
        .order_by(ApprovedHost.approved_at.nulls_first(), ApprovedHost.asked_at)
    )
    with tenant_scope(tenant_id):
        return [
            Asked(row.id, row.kind, row.host, email or "", row.asked_at, row.approved_at)
            for row, email in db.session.execute(statement)
        ]


def approve(by: User, tenant_id: uuid.UUID, host_id: uuid.UUID) -> str:
    """Let the company reach the host; twice is once. The kind of the service. Raises AppError."""
    with _deciding(by, tenant_id, host_id, "host_approved") as row:
        if row.approved_at is None:
            row.approved_by, row.approved_at = by.id, clock.now()
            audit.record("host_approved", "integration", row.kind, host=row.host)
        return row.kind


def withdraw(by: User, tenant_id: uuid.UUID, host_id: uuid.UUID) -> str:
    """Take the approval back, or decline it; people may ask anew. The kind of the service. Raises AppError."""
    with _deciding(by, tenant_id, host_id, "host_withdrawn") as row:
        audit.record("host_withdrawn", "integration", row.kind, host=row.host)
        db.session.delete(row)
        return row.kind


@contextmanager
def _deciding(by: User, tenant_id: uuid.UUID, host_id: uuid.UUID, act: str) -> Iterator[ApprovedHost]:
    """The row, held until the block ends and all is committed."""
    staff.must_be_chief(by, act, "tenant", tenant_id)
    with tenant_scope(tenant_id):
        statement = select(ApprovedHost).where(ApprovedHost.id == host_id).with_for_update()
        row = db.session.execute(statement).scalar_one_or_none()
        if row is None:
            raise AppError(404, "no_such_host", _l("This host was not asked for, or its approval was taken back"))
        yield row
        db.session.commit()
