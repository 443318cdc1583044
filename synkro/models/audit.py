"""Who did what. Rows are added in the transaction of the act, chained, and never changed."""

from __future__ import annotations

import uuid
from datetime import UTC
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from synkro.models.columns import Json, Moment, Words
from synkro.tenancy import Base

STAFF_CHAIN = uuid.UUID(int=0)
"""Stands for "no company" where a chain needs a name."""


class AuditLog(Base):
    """tenant_id None: an act of staff or of somebody unknown. details: names of fields, never their values.
    outsider: who acted belonged at that moment to another company, or to none; None: written before this was kept.

    No foreign key: the chain outlives the company. seq counts within the chain of a company, from 1, without a gap;
    mac covers the row and the mac before it. What says who and what is emptied when the company is deleted; its hash,
    `digest`, stays, and so the chain still holds.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_tenant_id_at", "tenant_id", "at"),
        Index("uq_audit_log_chain", text(f"coalesce(tenant_id, '{STAFF_CHAIN}'::uuid)"), "seq", unique=True),
        Index("ix_audit_log_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[uuid.UUID | None]
    seq: Mapped[int | None] = mapped_column(BigInteger)
    mac: Mapped[str | None]
    digest: Mapped[str | None]
    at: Mapped[Moment]
    actor_id: Mapped[uuid.UUID | None]
    actor: Mapped[Words]
    act: Mapped[Words]
    object_type: Mapped[Words] = mapped_column(default="")
    object_id: Mapped[Words] = mapped_column(default="")
    address: Mapped[Words] = mapped_column(default="")
    request_id: Mapped[Words] = mapped_column(default="")
    details: Mapped[Json]
    outsider: Mapped[bool | None]

    @property
    def chain(self) -> uuid.UUID:
        return self.tenant_id or STAFF_CHAIN

    def payload(self) -> dict[str, Any]:
        """What digest is the hash of."""
        # a row from before the column was hashed without it
        told = {} if self.outsider is None else {"outsider": self.outsider}
        return told | {
            "at": self.at.astimezone(UTC).isoformat(),
            "actor_id": str(self.actor_id or ""),
            "actor": self.actor,
            "act": self.act,
            "object_type": self.object_type,
            "object_id": self.object_id,
            "address": self.address,
            "request_id": self.request_id,
            "details": self.details,
        }


PERSONAL: dict[str, Any] = {
    "actor_id": None,
    "actor": "",
    "object_id": "",
    "address": "",
    "request_id": "",
    "details": {},
}
"""What is emptied in the rows of a deleted company, and with what."""
