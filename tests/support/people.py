"""People of a company, as staff look for them."""

from __future__ import annotations

from sqlalchemy import select

from synkro.models import AuditLog, User
from synkro.tenancy import db, system_scope

Cast = dict[str, User]


def by_email(email: str) -> User | None:
    db.session.expire_all()
    return db.session.execute(select(User).where(User.email == email)).scalar_one_or_none()


def found(person: User) -> User:
    row = by_email(person.email)
    assert row is not None
    return row


def audited(act: str) -> list[AuditLog]:
    with system_scope("test: look at the audit log"):
        return list(db.session.execute(select(AuditLog).where(AuditLog.act == act).order_by(AuditLog.seq)).scalars())


def path_of(person: User) -> str:
    return f"/admin/people/{person.id}"
