"""Links that let a person set a password: made, opened, and used once."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import delete, or_, select, update

from synkro.errors import AppError
from synkro.extensions import settings
from synkro.i18n import _l
from synkro.infra import clock
from synkro.models import Credential, LinkPurpose, OneTimeLink, Tenant, User
from synkro.models.states import TenantStatus
from synkro.services import audit
from synkro.services.auth import passwords
from synkro.services.mail import letters, notices, outbox
from synkro.services.shared.names import valid_name
from synkro.tenancy import db, system_scope
from synkro.tokens import known_hashes, new_token

LIFE = {LinkPurpose.INVITATION: timedelta(hours=24), LinkPurpose.RESET: timedelta(hours=1)}
"""ASVS 5.0, 6.4.1: a first password within a day."""
PATHS = {LinkPurpose.INVITATION: "/welcome", LinkPurpose.RESET: "/reset"}
PARAMETER = "t"
LONGEST_TOKEN = 100
ENDED_KEPT = timedelta(days=1)


def make(user: User, purpose: LinkPurpose) -> tuple[str, datetime]:
    """(the address to open, until when). Ends older links of this purpose.

    Part of an act in the system scope. The caller commits.
    """
    now, token = clock.now(), new_token()
    until = now + LIFE[purpose]
    end_all(user.id, purpose)
    db.session.add(
        OneTimeLink(
            user_id=user.id,
            purpose=purpose,
            token_hash=_known(token, purpose)[0],
            created_at=now,
            expires_at=until,
        )
    )
    # in the query, which no log of ours keeps; the page takes it out of the address at once
    return f"{settings().base_url}{PATHS[purpose]}?{urlencode({PARAMETER: token})}", until


def find(token: str, purpose: LinkPurpose) -> User | None:
    """Whom the link is for; None where it opens nothing: used, over, made for something else, or nobody's."""
    with system_scope("sign-in: a link is known before its tenant"):
        user = db.session.execute(_open(token, purpose)).scalar_one_or_none()
        db.session.expunge_all()
    return user


def invite(user: User, actor: str = "") -> str:
    """Send a person who has no password yet a link to choose one; it is also answered, to be passed on by hand.

    Raises AppError for a person who is in already or is disabled.
    """
    with system_scope("staff audit: somebody is invited to any company"):
        # held until the commit: of two invitations at once the earlier ends
        row = db.session.get_one(User, user.id, with_for_update={"key_share": True})
        if _has_password(row):
            raise AppError(409, "has_password", _l("This person has a password already"))
        _must_be_active(row)
        url, until = make(row, LinkPurpose.INVITATION)
        letter_id = outbox.put(row.id, letters.invitation(reader_of(row), url, until), until)
        row.invited_at = clock.now()
        audit.record("user_invited", "user", row.id, actor=actor, tenant_id=row.tenant_id)
        db.session.commit()
    outbox.enqueue(letter_id)
    return url


def offer(user: User) -> tuple[str, uuid.UUID]:
    """A link to a new password for somebody who has one, to be passed on by hand, and the letter that brings it.

    Part of an act in the system scope that holds the person. The caller commits, and then rings. Raises AppError.
    """
    _must_be_active(user)
    if not _has_password(user):
        raise AppError(409, "no_password", _l("This person has no password yet. Invite again."))
    url, until = make(user, LinkPurpose.RESET)
    return url, outbox.put(user.id, letters.offer(reader_of(user), url, until), until)


def accept(token: str, name: str, language: str, password: str) -> User:
    """An invited person comes in with a first password. Raises AppError."""
    return _spend(token, LinkPurpose.INVITATION, password, name=valid_name(name), language=language)


def reset(token: str, password: str) -> User:
    """A new password for one that was forgotten; all sessions end. Raises AppError."""
    return _spend(token, LinkPurpose.RESET, password)


def tidy() -> None:
    """Forget links that have ended a while ago. The caller is in the system scope."""
    db.session.execute(delete(OneTimeLink).where(OneTimeLink.expires_at <= clock.now() - ENDED_KEPT))
    db.session.commit()


def _spend(token: str, purpose: LinkPurpose, password: str, **changes: str) -> User:
    """Use the link up and set the password: both or neither. Of two at the same moment one succeeds."""
    with system_scope("sign-in: a link is known before its tenant"):
        # person, link and credential are held until the commit: who comes second waits, and finds nothing open
        held = _open(token, purpose).with_for_update(key_share=True)
        user: User | None = db.session.execute(held).scalar_one_or_none()
        if user is None:
            raise ended()
        for field, value in changes.items():
            setattr(user, field, value)
        this = update(OneTimeLink).where(OneTimeLink.token_hash.in_(_known(token, purpose)))
        db.session.execute(this.values(used_at=clock.now()))
        end_all(user.id)
        audit.record(f"{purpose}_used", "user", user.id, actor=user.email, tenant_id=user.tenant_id)
        passwords.store(user, password, keep=None, actor=user.email)
        db.session.commit()
        db.session.expunge_all()
    notices.password_changed(user)
    return user


def ended() -> AppError:
    return AppError(410, "link_ended", _l("This link no longer works"))


def _open(token: str, purpose: LinkPurpose) -> Any:
    """The person of a link that works. One made before the latest password was set does not."""
    return (
        select(User)
        .join(OneTimeLink, OneTimeLink.user_id == User.id)
        .join(Credential, Credential.user_id == User.id)
        .where(
            OneTimeLink.token_hash.in_(_known(token[:LONGEST_TOKEN], purpose)),
            OneTimeLink.purpose == purpose,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > clock.now(),
            or_(Credential.password_hash == "", OneTimeLink.created_at >= Credential.password_changed_at),
            *may_enter(),
        )
    )


def may_enter() -> tuple[Any, ...]:
    """Conditions on User."""
    leaving = select(Tenant.id).where(Tenant.status == TenantStatus.DELETING)
    return User.is_active, or_(User.tenant_id.is_(None), User.tenant_id.not_in(leaving))


def _has_password(user: User) -> bool:
    held = db.session.get(Credential, user.id)
    return held is not None and held.password_hash != ""


def _must_be_active(user: User) -> None:
    if not user.is_active:
        raise AppError(409, "disabled", _l("This account is disabled"))


def _known(token: str, purpose: LinkPurpose) -> list[str]:
    """Not hashed anew when an old key fits: a link lives for a day at most, and is used once."""
    return known_hashes(token, f"link|{purpose}")


def end_all(user_id: uuid.UUID, *purposes: LinkPurpose) -> None:
    """Of these purposes or, without any, of all. Part of an act in the system scope. The caller commits."""
    now = clock.now()
    ended = OneTimeLink.purpose.in_(purposes or tuple(LinkPurpose))
    mine = (OneTimeLink.user_id == user_id, ended, OneTimeLink.expires_at > now)
    db.session.execute(update(OneTimeLink).where(*mine).values(expires_at=now))


def reader_of(user: User) -> letters.Reader:
    """The caller is in the system scope."""
    return letters.reader_of(user, db.session.get(Tenant, user.tenant_id) if user.tenant_id else None)
