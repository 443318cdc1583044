"""How a tenant is set up: connections to outside services, the prompt, the schedule."""

from __future__ import annotations

import uuid
from datetime import datetime, time

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from synkro.models.columns import Created, Json, Key, Moment, Words, one_of, parent_key
from synkro.models.states import COLOURS, RunKind, Topic
from synkro.tenancy import Base, TenantRow


class IntegrationConfig(TenantRow, Base):
    """One outside service of a tenant. settings: what may be shown. secrets: field -> sealed value."""

    __tablename__ = "integration_configs"
    __table_args__ = (
        UniqueConstraint("tenant_id", "kind"),
        parent_key(),
        one_of("check_colour", COLOURS),
        one_of("check_stands", ("", "idle", "choice", "unsure")),
        one_of("news", ("", "broken", "mended", "remark")),
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
    check_stands: Mapped[Words] = mapped_column(default="", server_default="")
    """What the check said of the work, where its colour does not say it: integrations/base.py, Stands."""
    check_requested_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    checked_seconds: Mapped[float | None]
    offers: Mapped[Json] = mapped_column(server_default="{}")
    """Field -> [{value, title, note}]: what the vendor offers to choose from, as of the last check."""
    saved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When a person last saved settings. What was proved before that is proved no longer."""
    worked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    """Outcomes in a row that it does not work."""
    told_broken_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """People are told that it is broken, and not yet that it works again."""
    news: Mapped[Words] = mapped_column(default="", server_default="")
    """broken, mended or remark: what people have still to be told."""
    told_remark: Mapped[Words] = mapped_column(default="", server_default="")
    """Code of the remark that people know of: they are told of it once."""
    updated_at: Mapped[Created]


class Trial(TenantRow, Base):
    """Something that a person tried out on a connection, made by a worker. One of an act at a time, all are kept.

    result: JSON, sealed, since it holds what customers wrote; empty once it is too old. asked: inputs without any text.
    """

    __tablename__ = "trials"
    __table_args__ = (
        parent_key(),
        one_of("colour", COLOURS),
        Index("uq_trials_open", "tenant_id", "kind", "act", unique=True, postgresql_where=text("finished_at is null")),
        Index("ix_trials_tenant_id_kind_act_asked_at", "tenant_id", "kind", "act", "asked_at"),
        Index("ix_trials_finished_at", "finished_at"),
    )

    id: Mapped[Key]
    kind: Mapped[Words]
    act: Mapped[Words]
    asked: Mapped[Json]
    asked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    asked_at: Mapped[Moment]
    begun_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    colour: Mapped[str | None]
    code: Mapped[str | None]
    params: Mapped[Json]
    result: Mapped[Words] = mapped_column(default="", server_default="")


class ApprovedHost(TenantRow, Base):
    """A host of the client's own that a connection may be made to, once a super_admin has agreed. host: host:port."""

    __tablename__ = "approved_hosts"
    __table_args__ = (UniqueConstraint("tenant_id", "kind", "host"),)

    id: Mapped[Key]
    kind: Mapped[Words]
    host: Mapped[Words]
    asked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    asked_at: Mapped[Moment]
    approved_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    approved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Prompt(TenantRow, Base):
    """A version of what the tenant tells the model on a topic. The highest version is in force."""

    __tablename__ = "prompts"
    __table_args__ = (UniqueConstraint("tenant_id", "topic", "version"), one_of("topic", Topic))

    id: Mapped[Key]
    topic: Mapped[Words] = mapped_column(default=Topic.TASK, server_default=Topic.TASK)
    version: Mapped[int]
    body: Mapped[Words]
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Created]


class Automation(TenantRow, Base):
    """When reports are made: local wall time, never an offset. The zone is the tenant's."""

    __tablename__ = "automations"
    __table_args__ = (
        UniqueConstraint("tenant_id"),
        one_of("kind", RunKind),
        CheckConstraint("boundary_hour between 0 and 23", name="boundary_hour"),
        CheckConstraint("weekday between 0 and 6", name="weekday"),
    )

    id: Mapped[Key]
    kind: Mapped[Words] = mapped_column(default=RunKind.MANUAL)
    at: Mapped[time] = mapped_column(default=time(7, 0))
    weekday: Mapped[int] = mapped_column(default=0)
    """0 is Monday; for weekly reports."""
    boundary_hour: Mapped[int] = mapped_column(default=0)
    """The local hour at which a day ends."""
    working_hours: Mapped[Json] = mapped_column(server_default="{}")
    """{"week": seven days from Monday, each a list of [from, to] in minutes}; empty: office hours."""
    is_held: Mapped[bool] = mapped_column(default=False, server_default="false")
    """A report waits until a person has read it and sends it on."""
    not_later_than: Mapped[time | None]
    """Local: a report that is held goes by itself then, and one that is late by then is told of."""
    updated_at: Mapped[Created]
