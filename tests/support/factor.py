"""What the tests of the second factor share: a person who has one, and what is stored of it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pyotp
from sqlalchemy import select

from synkro.extensions import vault
from synkro.models import AuditLog, Credential, User
from synkro.services.auth import second_factor
from synkro.tenancy import db, system_scope

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
"""The beginning of a time step."""
Cast = dict[str, User]
HERE = uuid.UUID(int=1)
"""The session in which it is set up."""


def secret_of(user: User) -> str:
    with system_scope("test: the stored secret"):
        return vault().open(stored(user).totp_secret or "", second_factor.context(user.id))


def stored(user: User) -> Credential:
    with system_scope("test: the stored row"):
        return db.session.execute(select(Credential).where(Credential.user_id == user.id)).scalar_one()


def code_at(user: User, moment: datetime) -> str:
    return pyotp.TOTP(secret_of(user)).at(moment)


def enrolled(user: User) -> list[str]:
    """With the code of the step before this one: the present code is unused."""
    second_factor.begin(user, HERE)
    return second_factor.confirm(user, HERE, code_at(user, datetime.now(UTC) - timedelta(seconds=30)))


def acts() -> list[tuple[str, str]]:
    with system_scope("test: the audit"):
        rows = db.session.execute(select(AuditLog).order_by(AuditLog.id)).scalars()
        return [(row.act, row.actor) for row in rows]
