"""People: create, sign in, show who one is once more, look after the own sessions."""

from __future__ import annotations

import uuid

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from synkro.errors import AppError
from synkro.i18n import _l
from synkro.infra import clock
from synkro.models import Credential, Tenant, User, WebSession
from synkro.models.states import Role, TenantStatus
from synkro.services import audit
from synkro.services.auth import passwords, sessions
from synkro.services.shared.names import valid_email
from synkro.tenancy import db, system_scope


def create(
    email: str, password: str, role: Role, tenant: Tenant | None, *, can_manage_settings: bool = False, actor: str = ""
) -> User:
    """A new account. Raises AppError with what is wrong."""
    if (role == Role.USER) != (tenant is not None):
        raise AppError(422, "role_and_tenant", _l("A user belongs to a company, staff to none"))
    address = valid_email(email)
    passwords.verify(password, email=address, company=tenant.name if tenant else "")
    user = User(
        email=address,
        role=role,
        tenant_id=tenant.id if tenant else None,
        can_manage_settings=can_manage_settings,
    )
    with system_scope("staff audit: accounts are made for any tenant"):
        try:
            db.session.add(user)
            db.session.flush()
            db.session.add(Credential(user_id=user.id, password_hash=passwords.hasher.hash(password)))
            audit.record("user_created", "user", user.id, actor=actor, tenant_id=user.tenant_id, role=str(role))
            db.session.commit()
        except IntegrityError:
            raise AppError(409, "email_taken", _l("There is already an account with this e-mail")) from None
    return user


def sign_in(email: str, password: str) -> User | None:
    """The person, or None for a wrong pair: the same answer in the same time for an unknown account.

    Raises AppError for the right pair of somebody whose company is being deleted.
    """
    with system_scope("sign-in: the tenant is not known before"):
        user, held = _known(email)
        right = passwords.matches(held.password_hash if held else "", password)
        allowed = user is not None and right and user.is_active
        if user and allowed and _is_leaving(user):
            _note("sign_in_refused", user)
            db.session.commit()
            raise AppError(403, "tenant_deleting", _l("Your company is being deleted: its people cannot sign in."))
        _note("signed_in" if allowed else "sign_in_refused", user)
        if user and held and allowed:
            user.last_sign_in_at = clock.now()
            if passwords.hasher.check_needs_rehash(held.password_hash):
                held.password_hash = passwords.hasher.hash(password)
        db.session.commit()
        db.session.expunge_all()
    return user if allowed else None


def _is_leaving(user: User) -> bool:
    company = db.session.get(Tenant, user.tenant_id) if user.tenant_id else None
    return company is not None and company.status == TenantStatus.DELETING


def note_limited(email: str) -> None:
    """Write down that further tries for this account are turned away."""
    with system_scope("sign-in: the tenant is not known before"):
        _note("sign_in_limited", _known(email)[0])
        db.session.commit()


def is_password(user: User, password: str) -> bool:
    """Is it the person's own? Both answers are written down."""
    with system_scope("sign-in: the password of the person of this session"):
        held = db.session.get(Credential, user.id)
        right = passwords.matches(held.password_hash if held else "", password)
        _note("password_confirmed" if right else "password_refused", user)
        db.session.commit()
    return right


def _note(act: str, user: User | None) -> None:
    """Of an unknown account nothing that was typed is kept: a password is easily typed into the wrong field."""
    tenant_id, who, known = (user.tenant_id, user.id, user.email) if user else (None, "", audit.UNKNOWN)
    audit.record(act, "user", who, actor=known, tenant_id=tenant_id)


def _known(email: str) -> tuple[User | None, Credential | None]:
    """The account and what it is entered with, if there are such."""
    statement = select(User, Credential).outerjoin(Credential, Credential.user_id == User.id)
    found = db.session.execute(statement.where(func.lower(User.email) == func.lower(email.strip()))).one_or_none()
    return (found[0], found[1]) if found else (None, None)


def end_session(user: User, session_id: uuid.UUID) -> bool:
    """Sign an own browser out from afar. False when there is none of this id."""
    with system_scope("sign-in: a session of the person of this session"):
        own = delete(WebSession).where(WebSession.id == session_id, WebSession.user_id == user.id)
        gone = db.session.execute(own.returning(WebSession.id)).first() is not None
        if gone:
            audit.record("session_ended", "session", session_id, actor=user.email, tenant_id=user.tenant_id)
        db.session.commit()
    return gone


def end_other_sessions(user: User, keep: uuid.UUID) -> None:
    with system_scope("sign-in: the sessions of the person of this session"):
        sessions.end_all(user.id, but=keep)
        audit.record("signed_out_elsewhere", "user", user.id, actor=user.email, tenant_id=user.tenant_id)
        db.session.commit()


def get(user_id: uuid.UUID) -> User:
    """As a row of the scope that is entered now."""
    return db.session.get_one(User, user_id)


def set_theme(user: User, theme: str) -> None:
    user.theme = theme if theme in ("light", "dark") else ""
    db.session.commit()


def set_language(user: User, language: str) -> None:
    user.language = language
    db.session.commit()
