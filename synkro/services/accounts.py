"""People: create, sign in, look up."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from synkro import clock
from synkro.errors import AppError
from synkro.i18n import _l
from synkro.models import Credential, Tenant, User
from synkro.models.states import Role
from synkro.services import audit
from synkro.tenancy import db, system_scope

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 128

hasher = PasswordHasher()
DECOY = hasher.hash("nobody has this password")
"""Checked for unknown accounts too, so that the answer takes as long."""


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
        role=role,
        tenant_id=tenant.id if tenant else None,
        can_manage_settings=can_manage_settings,
    )
    with system_scope("staff audit: accounts are made for any tenant"):
        try:
            db.session.add(user)
            db.session.flush()
            db.session.add(Credential(user_id=user.id, password_hash=hasher.hash(password)))
            audit.record("user_created", "user", user.id, actor=actor, tenant_id=user.tenant_id, role=str(role))
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
    with system_scope("sign-in: the tenant is not known before"):
        user, stored = _known(email)
        right = _matches(stored or DECOY, password[: LONGEST_PASSWORD + 1])
        allowed = user is not None and right and user.is_active
        # of an unknown account nothing that was typed is kept: a password is easily typed into the wrong field
        tenant_id, who, known = (user.tenant_id, user.id, user.email) if user else (None, "", "unknown")
        audit.record("signed_in" if allowed else "sign_in_refused", "user", who, actor=known, tenant_id=tenant_id)
        if user and allowed:
            user.last_sign_in_at = clock.now()
        db.session.commit()
        db.session.expunge_all()
    return user if allowed else None


def _known(email: str) -> tuple[User | None, str]:
    """The account and the hash of its password, if there is one."""
    statement = select(User, Credential.password_hash).outerjoin(Credential, Credential.user_id == User.id)
    found = db.session.execute(statement.where(func.lower(User.email) == email.strip().lower())).one_or_none()
    return (found[0], found[1] or "") if found else (None, "")


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
