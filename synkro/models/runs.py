"""A run of the pipeline, its steps and what they hand over."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Numeric,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from synkro.models.columns import Created, Json, Key, Moment, Words, child_of, one_of, parent_key
from synkro.models.states import RunKind, RunStatus, StepStatus
from synkro.tenancy import Base, TenantRow

ACTIVE = "status in ('queued', 'running')"


class JobRun(TenantRow, Base):
    """One report being made. The window is [window_start, window_end)."""

    __tablename__ = "job_runs"
    __table_args__ = (
        parent_key(),
        one_of("kind", RunKind),
        one_of("status", RunStatus),
        # twice is impossible by constraint, not by care
        Index(
            "uq_job_runs_window",
            "tenant_id",
            "kind",
            "window_start",
            "window_end",
            unique=True,
            postgresql_where=text("kind <> 'manual'"),
        ),
        Index("uq_job_runs_active", "tenant_id", unique=True, postgresql_where=text(ACTIVE)),
        Index("ix_job_runs_recent", "tenant_id", "created_at"),
        Index("ix_job_runs_active", "status", postgresql_where=text(ACTIVE)),
    )

    id: Mapped[Key]
    number: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    """A short name for people: it stands in the Telegram message."""
    kind: Mapped[Words]
    status: Mapped[Words] = mapped_column(default=RunStatus.QUEUED)
    window_start: Mapped[Moment]
    window_end: Mapped[Moment]
    timezone: Mapped[Words]
    language: Mapped[Words]
    sandbox: Mapped[bool] = mapped_column(default=False)
    started_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    code: Mapped[str | None]
    """Why it failed or was skipped; its sentence is looked up when shown."""
    cancel_requested_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Created]
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class JobStep(TenantRow, Base):
    """One circle of a run. done and total count what the step works on; cursor is where a resumed try goes on."""

    __tablename__ = "job_steps"
    __table_args__ = (
        child_of("job_runs", "run_id"),
        UniqueConstraint("run_id", "key"),
        UniqueConstraint("run_id", "n"),
        one_of("status", StepStatus),
        one_of("colour", ("green", "yellow", "red")),
        Index("ix_job_steps_due", "status", "ready_at", postgresql_where=text("status in ('ready', 'running')")),
        Index("ix_job_steps_tenant_id", "tenant_id"),
    )

    id: Mapped[Key]
    run_id: Mapped[uuid.UUID]
    n: Mapped[int]
    key: Mapped[Words]
    status: Mapped[Words] = mapped_column(default=StepStatus.PENDING)
    colour: Mapped[str | None]
    code: Mapped[str | None]
    params: Mapped[Json]
    attempts: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    cursor: Mapped[Json]
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    ready_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    enqueued_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Artifact(TenantRow, Base):
    """What a step hands to the next: one sealed, compressed row a page. meta holds no tenant text."""

    __tablename__ = "artifacts"
    __table_args__ = (
        child_of("job_runs", "run_id"),
        UniqueConstraint("run_id", "name", "seq"),
        Index("ix_artifacts_tenant_id_created_at", "tenant_id", "created_at"),
        Index("ix_artifacts_created_at", "created_at"),
    )

    id: Mapped[Key]
    run_id: Mapped[uuid.UUID]
    name: Mapped[Words]
    seq: Mapped[int]
    payload: Mapped[bytes]
    rows: Mapped[int]
    sha256: Mapped[Words]
    meta: Mapped[Json]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class AiCall(TenantRow, Base):
    """One paid request to a model, in a run or in a trial. cost is in US dollars, None where the price is not known."""

    __tablename__ = "ai_calls"
    __table_args__ = (
        child_of("job_runs", "run_id"),
        child_of("trials", "trial_id"),
        CheckConstraint("(run_id is null) <> (trial_id is null)", name="one_cause"),
        Index("ix_ai_calls_tenant_id_created_at", "tenant_id", "created_at"),
    )

    id: Mapped[Key]
    run_id: Mapped[uuid.UUID | None]
    trial_id: Mapped[uuid.UUID | None]
    purpose: Mapped[Words]
    seq: Mapped[int]
    provider: Mapped[Words]
    model: Mapped[Words]
    outcome: Mapped[Words]
    prompt_hash: Mapped[Words]
    tokens_in: Mapped[int]
    tokens_out: Mapped[int]
    cost: Mapped[Decimal | None] = mapped_column(Numeric(12, 6))
    usage: Mapped[dict[str, int]] = mapped_column(JSONB, default=dict)
    created_at: Mapped[Created]
