"""Companies and the people who sign in. Not tenant data: these tables are read before a tenant is known."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from synkro.models.columns import Created, Json, Key, Words, one_of
from synkro.models.states import STAFF, Role, TenantStatus
from synkro.tenancy import Base


@dataclass(frozen=True, slots=True)
class CurrentSession:
    """What a request needs to know of its session. needs: 'code' or 'enrol' while the second factor is due, else ''."""

    id: uuid.UUID
    needs: str
    confirmed_at: datetime
    factor_at: datetime | None


class Tenant(Base):
    __tablename__ = "tenants"
    __table_args__ = (
        one_of("status", TenantStatus),
        CheckConstraint("slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name="slug"),
    )

    id: Mapped[Key]
    slug: Mapped[Words] = mapped_column(unique=True)
    name: Mapped[Words]
    status: Mapped[Words] = mapped_column(default=TenantStatus.ACTIVE)
    timezone: Mapped[Words] = mapped_column(default="Asia/Almaty")
    language: Mapped[Words] = mapped_column(default="ru")
    country: Mapped[Words] = mapped_column(default="", server_default="")
    settings: Mapped[Json] = mapped_column(server_default="{}")
    created_at: Mapped[Created]
    updated_at: Mapped[Created] = mapped_column(onupdate=func.now())
    delete_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Set while the status is `deleting`: until then the deletion can be taken back."""

    @property
    def is_paused(self) -> bool:
        return self.status == TenantStatus.PAUSED


class User(UserMixin, Base):  # type: ignore[misc]  # flask-login ships no types
    """Staff have no tenant; everybody else has exactly one.

    current_session: the session of this request, for Flask-Login. Until a second factor that is due was shown, a person
    counts as not signed in.
    """

    __tablename__ = "users"
    __table_args__ = (
        one_of("role", Role),
        CheckConstraint("(role = 'user') = (tenant_id is not null)", name="tenant_by_role"),
        Index("uq_users_email_lower", text("lower(email)"), unique=True),
        Index("ix_users_tenant_id", "tenant_id"),
    )

    id: Mapped[Key]
    email: Mapped[Words]
    name: Mapped[Words] = mapped_column(default="")
    role: Mapped[Words]
    tenant_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    can_manage_settings: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[Words] = mapped_column(default="")
    theme: Mapped[Words] = mapped_column(default="")
    avatar: Mapped[Words] = mapped_column(default="", server_default="")
    invited_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_sign_in_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Created]
    updated_at: Mapped[Created] = mapped_column(onupdate=func.now())

    current_session = None  # type: CurrentSession | None  # an annotation would make it a column

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF

    @property
    def is_authenticated(self) -> bool:
        return self.current_session is not None and not self.current_session.needs
