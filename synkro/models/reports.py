"""Reports, what people say about them, and whether they arrived."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from synkro.models.columns import Created, Json, JsonList, Key, Moment, Words, child_of, one_of, parent_key
from synkro.models.states import DeliveryStatus, ReportStatus, RunKind
from synkro.tenancy import Base, TenantRow


class Report(TenantRow, Base):
    """Figures, coverage and the summary. The full text and the findings lie in the client's Supabase under this id."""

    __tablename__ = "reports"
    __table_args__ = (
        parent_key(),
        child_of("job_runs", "run_id"),
        UniqueConstraint("run_id"),
        one_of("kind", RunKind),
        one_of("status", ReportStatus),
        Index("ix_reports_recent", "tenant_id", "window_end", "id"),
        Index("ix_reports_held", "goes_at", postgresql_where=text("held_at is not null and released_at is null")),
    )

    id: Mapped[Key]
    run_id: Mapped[uuid.UUID]
    kind: Mapped[Words]
    status: Mapped[Words]
    window_start: Mapped[Moment]
    window_end: Mapped[Moment]
    timezone: Mapped[Words]
    language: Mapped[Words]
    sandbox: Mapped[bool] = mapped_column(default=False)
    summary: Mapped[Words]
    figures: Mapped[Json]
    coverage: Mapped[JsonList]
    held_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """It waits until a person sends it on, or until goes_at."""
    goes_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    released_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    released_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    """None with released_at: it went by itself."""
    created_at: Mapped[Created]


class ReportMessage(TenantRow, Base):
    """A question about a report and its answer: at most two."""

    __tablename__ = "report_messages"
    __table_args__ = (
        child_of("reports", "report_id"),
        UniqueConstraint("report_id", "n"),
        CheckConstraint("n between 1 and 2", name="n"),
        Index("ix_report_messages_tenant_id", "tenant_id"),
    )

    id: Mapped[Key]
    report_id: Mapped[uuid.UUID]
    n: Mapped[int]
    asked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    question: Mapped[Words]
    answer: Mapped[str | None]
    created_at: Mapped[Created]


class ReportComment(TenantRow, Base):
    __tablename__ = "report_comments"
    __table_args__ = (
        child_of("reports", "report_id"),
        CheckConstraint("length(body) between 1 and 4000", name="body"),
        Index("ix_report_comments_report_id_created_at", "report_id", "created_at"),
        Index("ix_report_comments_tenant_id", "tenant_id"),
    )

    id: Mapped[Key]
    report_id: Mapped[uuid.UUID]
    author_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    author: Mapped[Words]
    body: Mapped[Words]
    created_at: Mapped[Created]


class Delivery(TenantRow, Base):
    """One part of a report on its way to one place. Only failed parts are sent again."""

    __tablename__ = "deliveries"
    __table_args__ = (
        child_of("reports", "report_id"),
        UniqueConstraint("report_id", "channel", "target", "part"),
        one_of("status", DeliveryStatus),
        Index("ix_deliveries_tenant_id", "tenant_id"),
    )

    id: Mapped[Key]
    report_id: Mapped[uuid.UUID]
    channel: Mapped[Words]
    target: Mapped[Words]
    part: Mapped[int]
    status: Mapped[Words] = mapped_column(default=DeliveryStatus.PLANNED)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    code: Mapped[str | None]
    created_at: Mapped[Created]
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
