"""What a company calls things in its amoCRM: a copy that still knows a name after it was deleted there."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from synkro.models.columns import Key, Moment, Words
from synkro.tenancy import Base, TenantRow


class CrmName(TenantRow):
    """A name and what it belongs to. is_active: it was there when the copy was last made.

    known_by: what a row is found again by.
    """

    known_by: ClassVar[tuple[str, ...]] = ("tenant_id", "account_id", "external_id")

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    external_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[Words]
    is_active: Mapped[bool] = mapped_column(default=True)
    refreshed_at: Mapped[Moment]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[UniqueConstraint]:  # noqa: N805
        return (UniqueConstraint(*cls.known_by),)


class CrmPipeline(CrmName, Base):
    __tablename__ = "crm_pipelines"

    sort: Mapped[int]


class CrmStage(CrmName, Base):
    """Won and lost are 142 and 143 in every pipeline, so a stage is known by both ids. type 1: incoming."""

    __tablename__ = "crm_stages"
    known_by = ("tenant_id", "account_id", "pipeline_id", "external_id")

    pipeline_id: Mapped[int] = mapped_column(BigInteger)
    sort: Mapped[int]
    type: Mapped[int]


class CrmLossReason(CrmName, Base):
    __tablename__ = "crm_loss_reasons"
