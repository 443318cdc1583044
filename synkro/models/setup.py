"""How a tenant is set up: connections to outside services, the prompt, the schedule."""

from __future__ import annotations

import uuid
from datetime import datetime, time

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from synkro.models.columns import Created, Json, Key, Words, one_of, parent_key
from synkro.models.states import Kind
from synkro.tenancy import Base, TenantRow


class IntegrationConfig(TenantRow, Base):
    """One outside service of a tenant. settings: what may be shown. secrets: field -> sealed value."""

    __tablename__ = "integration_configs"
    __table_args__ = (
        UniqueConstraint("tenant_id", "kind"),
        parent_key(),
        one_of("check_colour", ("green", "yellow", "red")),
    )

    id: Mapped[Key]
    kind: Mapped[Words]
    settings: Mapped[Json]
    secrets: Mapped[Json]
    version: Mapped[int] = mapped_column(default=1)
    """Raised by every save: a check that began before the save does not speak for what was saved."""
    check_colour: Mapped[str | None]
    check_code: Mapped[str | None]
    check_params: Mapped[Json]
    check_requested_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    checked_seconds: Mapped[float | None]
    updated_at: Mapped[Created]


class Prompt(TenantRow, Base):
    """A version of the tenant's instructions to the model. The highest version is in force."""

    __tablename__ = "prompts"
    __table_args__ = (UniqueConstraint("tenant_id", "version"),)

    id: Mapped[Key]
    version: Mapped[int]
    body: Mapped[Words]
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Created]


class Automation(TenantRow, Base):
    """When reports are made: local wall time, never an offset. The zone is the tenant's."""

    __tablename__ = "automations"
    __table_args__ = (
        UniqueConstraint("tenant_id"),
        one_of("kind", Kind),
        CheckConstraint("boundary_hour between 0 and 23", name="boundary_hour"),
        CheckConstraint("weekday between 0 and 6", name="weekday"),
    )

    id: Mapped[Key]
    kind: Mapped[Words] = mapped_column(default=Kind.MANUAL)
    at: Mapped[time] = mapped_column(default=time(7, 0))
    weekday: Mapped[int] = mapped_column(default=0)
    """0 is Monday; for weekly reports."""
    boundary_hour: Mapped[int] = mapped_column(default=0)
    """The local hour at which a day ends."""
    updated_at: Mapped[Created]
