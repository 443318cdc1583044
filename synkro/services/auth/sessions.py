"""Who is at the other end of a cookie: sessions start, are looked up at every request, and end at once."""

from __future__ import annotations

import uuid
from datetime import timedelta

from sqlalchemy import delete, or_, select, update

from synkro.infra import clock
from synkro.models import Credential, CurrentSession, Tenant, User, WebSession
from synkro.models.states import STAFF, TenantStatus
from synkro.tenancy import db, system_scope
from synkro.tokens import keyed_hash, known_hashes, new_token

IDLE_STAFF, IDLE_USER = timedelta(minutes=30), timedelta(hours=12)
LIFE_STAFF, LIFE_USER = timedelta(hours=12), timedelta(days=14)
SEEN_EVERY = timedelta(minutes=1)
"""A session that is in use is written no more often than that."""
LONGEST_AGENT = 300


def idle_of(user: User) -> timedelta:
    """How long a session of this person may lie unused."""
    return IDLE_STAFF if user.is_staff else IDLE_USER


def start(user: User, address: str, agent: str) -> str:
    """A session after the right password: the token for the cookie. The second factor may still be due."""
    now, token = clock.now(), new_token()
    with system_scope("sign-in: a session is known before its tenant"):
        db.session.add(
            WebSession(
                user_id=user.id,
                token_hash=keyed_hash(token, "session"),
                seen_at=now,
                expires_at=now + (LIFE_STAFF if user.role in STAFF else LIFE_USER),
                confirmed_at=now,
                address=address,
                agent=agent[:LONGEST_AGENT],
            )
        )
        db.session.commit()
    return token


def load(token: str, *, in_use: bool = True) -> User | None:
    """The person with `current_session` set, read apart from any tenant; None for one that has ended or idled away.

    in_use False: the look of a page that renews itself is no sign of a person and does not prolong the session.
    """
    now = clock.now()
    with system_scope("sign-in: a session is known before its tenant"):
        found = db.session.execute(
            select(User, WebSession, Credential.totp_confirmed_at)
            .join(WebSession, WebSession.user_id == User.id)
            .outerjoin(Credential, Credential.user_id == User.id)
            .outerjoin(Tenant, Tenant.id == User.tenant_id)
            .where(
                WebSession.token_hash.in_(known_hashes(token, "session")),
                WebSession.expires_at > now,
                User.is_active,
                or_(User.tenant_id.is_(None), Tenant.status != TenantStatus.DELETING),
            )
        ).one_or_none()
        if found is None:
            return None
        user, row, has_factor = found
        if now - row.seen_at > idle_of(user):
            return None
        if row.token_hash != keyed_hash(token, "session"):
            _rehash(row, token)
        needs = "" if row.factor_at else "code" if has_factor else "enrol" if user.is_staff else ""
        user.current_session = CurrentSession(row.id, needs, row.confirmed_at, row.factor_at)
        if in_use and now - row.seen_at > SEEN_EVERY:
            row.seen_at = now
        db.session.commit()
        db.session.expunge_all()
    return user


def _rehash(row: WebSession, token: str) -> None:
    """By today's key, unless the session has been given another token meanwhile: this one opens nothing then."""
    same = WebSession.id == row.id, WebSession.token_hash == row.token_hash
    fresh = update(WebSession).where(*same).values(token_hash=keyed_hash(token, "session"))
    db.session.execute(fresh.execution_options(synchronize_session=False))


def confirm(current_session: CurrentSession, *, password: bool = False, factor: bool = False) -> str:
    """The person has just shown who they are once more. A new token: the old one opens nothing any more."""
    now = clock.now()
    shown = {name: now for name, done in (("confirmed_at", password), ("factor_at", factor)) if done}
    token = new_token()
    with system_scope("sign-in: a session is known before its tenant"):
        db.session.execute(
            update(WebSession)
            .where(WebSession.id == current_session.id)
            .values(token_hash=keyed_hash(token, "session"), seen_at=now, **shown)
        )
        db.session.commit()
    return token


def of(user_id: uuid.UUID) -> list[WebSession]:
    """The sessions that still open something, the latest used first."""
    with system_scope("sign-in: a session is known before its tenant"):
        statement = select(WebSession).where(WebSession.user_id == user_id, WebSession.expires_at > clock.now())
        rows = list(db.session.execute(statement.order_by(WebSession.seen_at.desc())).scalars())
        db.session.expunge_all()
    return rows


def end_all(user_id: uuid.UUID, *, but: uuid.UUID | None = None) -> None:
    """Sign out everywhere, save for one session, and drop a second factor that was begun and not confirmed.

    Part of an act in the system scope. The caller commits.
    """
    gone = delete(WebSession).where(WebSession.user_id == user_id)
    db.session.execute(gone if but is None else gone.where(WebSession.id != but))
    begun = Credential.user_id == user_id, Credential.totp_confirmed_at.is_(None)
    db.session.execute(
        update(Credential).where(*begun).values(totp_secret=None, totp_begun_by=None, totp_begun_at=None)
    )


def purge() -> None:
    """Remove rows that open nothing any more. The caller is in the system scope."""
    db.session.execute(delete(WebSession).where(WebSession.expires_at <= clock.now()))
    db.session.commit()
