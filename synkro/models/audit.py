"""Who did what. Rows are added in the transaction of the act and never changed."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from synkro.models.columns import Created, Json, Words
from synkro.tenancy import Base


class AuditLog(Base):
    """tenant_id None: an act of staff or of somebody unknown. details: names of fields, never their values."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_tenant_id_at", "tenant_id", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    at: Mapped[Created]
    actor_id: Mapped[uuid.UUID | None]
    actor: Mapped[Words]
    act: Mapped[Words]
    object_type: Mapped[Words] = mapped_column(default="")
    object_id: Mapped[Words] = mapped_column(default="")
    address: Mapped[Words] = mapped_column(default="")
    request_id: Mapped[Words] = mapped_column(default="")
    details: Mapped[Json]
