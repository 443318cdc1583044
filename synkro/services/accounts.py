"""People: create, sign in, look up."""

from __future__ import annotations

import uuid

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from synkro import clock
from synkro.errors import AppError
from synkro.i18n import _l
from synkro.models import Tenant, User
from synkro.models.states import Role
from synkro.services import audit
from synkro.tenancy import db, system_scope

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 128

hasher = PasswordHasher()
DECOY = hasher.hash("nobody has this password")
"""Checked for unknown accounts too, so that the answer takes as long."""


def load_user(user_id: str) -> User | None:
    """For Flask-Login, at every request: a disabled person is out at the next click."""
    try:
        user = db.session.get(User, uuid.UUID(user_id))
    except ValueError:
        return None
    return user if user and user.is_active else None


def create(
    email: str, password: str, role: Role, tenant: Tenant | None, *, can_manage_settings: bool = False, actor: str = ""
) -> User:
    """A new account. Raises AppError with what is wrong."""
    if (role == Role.USER) != (tenant is not None):
        raise AppError(422, "role_and_tenant", _l("A user belongs to a company, staff to none"))
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise AppError(422, "password_length", _l("A password has 12 to 128 characters"))
    user = User(
        email=_valid_email(email),
        password_hash=hasher.hash(password),
        role=role,
        tenant_id=tenant.id if tenant else None,
        can_manage_settings=can_manage_settings,
    )
    with system_scope("staff audit: accounts are made for any tenant"):
        try:
            db.session.add(user)
            db.session.flush()
            audit.record_for(
                user.tenant_id, "user_created", thing="user", thing_id=user.id, actor=actor, role=str(role)
            )
            db.session.commit()
        except IntegrityError:
            raise AppError(409, "email_taken", _l("There is already an account with this e-mail")) from None
    return user


def _valid_email(text: str) -> str:
    try:
        return str(validate_email(text.strip(), check_deliverability=False, test_environment=True).normalized)
    except EmailNotValidError:
        raise AppError(422, "bad_email", _l("This is not an e-mail address")) from None


def sign_in(email: str, password: str) -> User | None:
    """The person, or None for a wrong pair: the same answer in the same time for an unknown account."""
    statement = select(User).where(func.lower(User.email) == email.strip().lower())
    user = db.session.execute(statement).scalar_one_or_none()
    right = _matches(user.password_hash if user else DECOY, password[: LONGEST_PASSWORD + 1])
    allowed = user is not None and right and user.is_active
    with system_scope("sign-in: the tenant is not known before"):
        tenant_id = user.tenant_id if user else None
        act = "signed_in" if allowed else "sign_in_refused"
        # of an unknown account nothing that was typed is kept: a password is easily typed into the wrong field
        who, known = (user.id, user.email) if user else ("", "unknown")
        audit.record_for(tenant_id, act, thing="user", thing_id=who, actor=known)
        db.session.commit()
    if not allowed or user is None:
        return None
    user.last_sign_in_at = clock.now()
    db.session.commit()
    return user


def _matches(stored: str, password: str) -> bool:
    try:
        return hasher.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def set_theme(user: User, theme: str) -> None:
    user.theme = theme if theme in ("light", "dark") else ""
    db.session.commit()


def set_language(user: User, language: str) -> None:
    user.language = language
    db.session.commit()
