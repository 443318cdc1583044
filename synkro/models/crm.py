"""What a company calls things in its amoCRM: a copy that still knows a name after it was deleted there."""

from __future__ import annotations

from sqlalchemy import BigInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from synkro.models.columns import Key, Moment, Words
from synkro.tenancy import Base, TenantRow


class CrmPipeline(TenantRow, Base):
    """is_active: it was there when the copy was last made."""

    __tablename__ = "crm_pipelines"
    __table_args__ = (UniqueConstraint("tenant_id", "account_id", "external_id"),)

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    external_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[Words]
    sort: Mapped[int]
    is_active: Mapped[bool] = mapped_column(default=True)
    refreshed_at: Mapped[Moment]


class CrmStage(TenantRow, Base):
    """Won and lost are 142 and 143 in every pipeline, so a stage is known by both ids. type 1: incoming."""

    __tablename__ = "crm_stages"
    __table_args__ = (UniqueConstraint("tenant_id", "account_id", "pipeline_id", "external_id"),)

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    pipeline_id: Mapped[int] = mapped_column(BigInteger)
    external_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[Words]
    sort: Mapped[int]
    type: Mapped[int]
    is_active: Mapped[bool] = mapped_column(default=True)
    refreshed_at: Mapped[Moment]


class CrmLossReason(TenantRow, Base):
    __tablename__ = "crm_loss_reasons"
    __table_args__ = (UniqueConstraint("tenant_id", "account_id", "external_id"),)

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    external_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[Words]
    is_active: Mapped[bool] = mapped_column(default=True)
    refreshed_at: Mapped[Moment]
