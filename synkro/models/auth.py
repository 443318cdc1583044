"""How a person comes in: password, second factor, sessions, links. Open to the role synkro_system only."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from synkro.models.columns import Created, Key, Moment, Words, one_of
from synkro.tenancy import Base

Owner = Annotated[uuid.UUID, mapped_column(ForeignKey("users.id", ondelete="CASCADE"))]
Once = Annotated[datetime | None, mapped_column(DateTime(timezone=True))]


class Credential(Base):
    """password_hash '': an invited person has none yet. totp_secret is sealed; it counts from totp_confirmed_at on.

    Until then it is good for the session that began to set it up, for a while. totp_last_step: the time step of the
    last code that was taken, so that no code works twice.
    """

    __tablename__ = "credentials"

    user_id: Mapped[Owner] = mapped_column(primary_key=True)
    password_hash: Mapped[Words] = mapped_column(default="")
    password_changed_at: Mapped[Created]
    totp_secret: Mapped[str | None]
    totp_begun_by: Mapped[uuid.UUID | None]
    """The session, which may have ended."""
    totp_begun_at: Mapped[Once]
    totp_confirmed_at: Mapped[Once]
    totp_last_step: Mapped[int] = mapped_column(BigInteger, default=0)


class WebSession(Base):
    """One browser of a person. The cookie holds the token, the row only its keyed hash."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_user_id", "user_id"),)

    id: Mapped[Key]
    user_id: Mapped[Owner]
    token_hash: Mapped[Words] = mapped_column(unique=True)
    created_at: Mapped[Created]
    seen_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    confirmed_at: Mapped[Moment]
    """When the password was last typed."""
    factor_at: Mapped[Once]
    """When the second factor was last shown; None: not yet."""
    address: Mapped[Words] = mapped_column(default="")
    agent: Mapped[Words] = mapped_column(default="")


class RecoveryCode(Base):
    __tablename__ = "recovery_codes"
    __table_args__ = (Index("ix_recovery_codes_user_id", "user_id"),)

    id: Mapped[Key]
    user_id: Mapped[Owner]
    code_hash: Mapped[Words] = mapped_column(unique=True)
    used_at: Mapped[Once]


class LinkPurpose(StrEnum):
    INVITATION = "invitation"
    RESET = "reset"


class OneTimeLink(Base):
    """A way to a first or a new password. The address holds the token, the row its keyed hash."""

    __tablename__ = "one_time_links"
    __table_args__ = (one_of("purpose", LinkPurpose), Index("ix_one_time_links_user_id", "user_id"))

    id: Mapped[Key]
    user_id: Mapped[Owner]
    purpose: Mapped[Words]
    token_hash: Mapped[Words] = mapped_column(unique=True)
    created_at: Mapped[Created]
    expires_at: Mapped[Moment]
    used_at: Mapped[Once]


class StoredLetter(Base):
    """A letter on its way, sealed: it may hold a link that opens an account. Emptied as soon as it has left.

    user_id None: not a letter yet, but the address that somebody typed who forgot the password. next_at None: nothing
    more is tried. code: why it was not sent.
    """

    __tablename__ = "letters"
    __table_args__ = (Index("ix_letters_user_id", "user_id"), Index("ix_letters_next_at", "next_at"))

    id: Mapped[Key]
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    sealed: Mapped[bytes | None]
    created_at: Mapped[Created]
    expires_at: Mapped[Moment]
    next_at: Mapped[Once]
    enqueued_at: Mapped[Once]
    sent_at: Mapped[Once]
    tries: Mapped[int] = mapped_column(default=0)
    code: Mapped[Words] = mapped_column(default="")
