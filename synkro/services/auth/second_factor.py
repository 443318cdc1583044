"""The second factor: a code of an app or a recovery code, set up, asked for, renewed, taken away."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from synkro.crypto import CannotOpen
from synkro.errors import AppError
from synkro.extensions import vault
from synkro.i18n import _l
from synkro.infra import clock
from synkro.models import Credential, User
from synkro.services import audit
from synkro.services.auth import code_tries, recovery_codes, sessions, totp
from synkro.services.auth.attempts import TooManyTries
from synkro.services.mail import notices
from synkro.services.shared.sealed import SealedText
from synkro.tenancy import db, system_scope

log = logging.getLogger(__name__)

BEGUN = timedelta(minutes=30)
"""How long a set-up that was begun can be finished."""


@dataclass(frozen=True, slots=True)
class Setup:
    """secret: base32. uri: for an app on the same device. qr_svg: the same to be scanned, an <svg> element."""

    secret: str
    uri: str
    qr_svg: str


@dataclass(frozen=True, slots=True)
class State:
    """confirmed_at None: there is no second factor."""

    confirmed_at: datetime | None
    codes_left: int


def state(user_id: uuid.UUID) -> State:
    with system_scope("second factor: the person of this session"):
        statement = select(Credential.totp_confirmed_at).where(Credential.user_id == user_id)
        confirmed_at = db.session.execute(statement).scalar_one_or_none()
        return State(confirmed_at, recovery_codes.left(user_id))


def take_code(user_id: uuid.UUID, code: str, device: str = "") -> bool:
    """A code of the app or a recovery code, in any spelling of spaces and dashes. Each opens once.

    device: see code_tries.take. Raises TooManyTries after many wrong ones.
    """
    typed, a_try = _bare(code), _counted(user_id, device)
    with system_scope("second factor: the person of this session"):
        taken = _take_app_code(user_id, typed)
        by_recovery = not taken and recovery_codes.spend(user_id, typed)
        left = recovery_codes.left(user_id)
        if by_recovery:
            _record("recovery_code_used", user_id, left=left)
        else:
            _record("second_factor_shown" if taken else "second_factor_refused", user_id)
        db.session.commit()
    if by_recovery:
        notices.recovery_code_used(user_id, left)
    if taken or by_recovery:
        code_tries.give_back(user_id, device, a_try)
    return taken or by_recovery


def _counted(user_id: uuid.UUID, device: str) -> str:
    try:
        return code_tries.take(user_id, device)
    except TooManyTries as refusal:
        if refusal.is_first:
            with system_scope("second factor: the person of this session"):
                _record("second_factor_limited", user_id)
                db.session.commit()
        raise


def _take_app_code(user_id: uuid.UUID, code: str) -> bool:
    held = Credential.user_id == user_id, Credential.totp_confirmed_at.is_not(None)
    sealed = db.session.execute(select(Credential.totp_secret).where(*held)).scalar_one_or_none()
    try:
        step = totp.step_of(vault().open(sealed, context(user_id)), code, clock.now()) if sealed else None
    except CannotOpen:
        # sealed with a key that is lost: the recovery codes do not depend on it
        log.error("a second factor cannot be opened", extra={"fields": {"user_id": str(user_id)}})
        return False
    if step is None:
        return False
    # one statement: of two requests with the same code one changes no row
    later = update(Credential).where(*held, Credential.totp_last_step < step)
    taken = later.values(totp_last_step=step).returning(Credential.user_id)
    return db.session.execute(taken).first() is not None


def begin(user: User, session_id: uuid.UUID) -> Setup:
    """A secret that counts for nothing yet: the same one for BEGUN in this session, a new one in any other.

    So nobody who was in once leaves a secret behind that the owner then takes. Raises AppError when one counts.
    """
    with system_scope("second factor: the person of this session"):
        held = _held(user.id)
        if held.totp_confirmed_at is not None:
            raise _is_on()
        secret = _begun(held, session_id)
        if not secret:
            secret = totp.new_secret()
            held.totp_secret = vault().seal(secret, context(user.id))
            held.totp_begun_by, held.totp_begun_at = session_id, clock.now()
        db.session.commit()
    uri = totp.uri(secret, user.email)
    return Setup(secret, uri, totp.qr_svg(uri))


def confirm(user: User, session_id: uuid.UUID, code: str) -> list[str]:
    """Make the secret of begin count: the recovery codes, to be shown once. Raises AppError for a wrong code."""
    with system_scope("second factor: the person of this session"):
        held = _held(user.id)
        if held.totp_confirmed_at is not None:
            raise _is_on()
        secret = _begun(held, session_id)
        step = totp.step_of(secret, _bare(code), clock.now()) if secret else None
        if step is None:
            raise AppError(422, "wrong_code", _l("This is not the code that the app shows now. Type the next one."))
        held.totp_confirmed_at, held.totp_last_step = clock.now(), step
        held.totp_begun_by = held.totp_begun_at = None
        codes = recovery_codes.renew(user.id)
        _record("second_factor_on", user.id)
        db.session.commit()
    notices.second_factor_changed(user)
    return codes


def new_recovery_codes(user: User) -> list[str]:
    """To be shown once. The old ones open nothing any more."""
    with system_scope("second factor: the person of this session"):
        if _held(user.id).totp_confirmed_at is None:
            raise AppError(409, "no_second_factor", _l("There is no second factor yet. Set it up first."))
        codes = recovery_codes.renew(user.id)
        _record("recovery_codes_renewed", user.id)
        db.session.commit()
    notices.second_factor_changed(user)
    return codes


def switch_off(user: User) -> None:
    """Raises AppError for staff, who must have one."""
    if user.is_staff:
        raise AppError(403, "second_factor_required", _l("Staff work with a second factor. It cannot be switched off."))
    with system_scope("second factor: the person of this session"):
        _remove(user.id)
        _record("second_factor_off", user.id)
        db.session.commit()
    notices.second_factor_changed(user)


def reset(user_id: uuid.UUID, actor: str = "") -> None:
    """Of a person who lost it: gone, with every session. actor: see audit.record. Raises AppError for nobody's id."""
    with system_scope("second factor: of a person of any company"):
        user = db.session.get(User, user_id)
        if user is None:
            raise AppError(404, "no_user", _l("There is no such person"))
        _remove(user_id)
        sessions.end_all(user_id)
        audit.record("second_factor_reset", "user", user_id, actor=actor, tenant_id=user.tenant_id)
        db.session.commit()
        db.session.expunge_all()
    notices.second_factor_changed(user)


def context(user_id: uuid.UUID) -> str:
    """What the secret is sealed for."""
    return f"second factor|{user_id}"


SEALED = SealedText("second factors", Credential.totp_secret, (Credential.user_id,), context)


def _bare(code: str) -> str:
    return "".join(code.split()).replace("-", "")


def _held(user_id: uuid.UUID) -> Credential:
    """Ours until the commit: of two set-ups or renewals at the same time one waits."""
    return db.session.get_one(Credential, user_id, with_for_update=True)


def _begun(held: Credential, session_id: uuid.UUID) -> str:
    """The secret that this session is setting up; '' for none, or for one that was sealed with a key that is lost."""
    began = held.totp_begun_at
    if began is None or clock.now() - began > BEGUN or held.totp_begun_by != session_id:
        return ""
    try:
        return vault().open(held.totp_secret, context(held.user_id)) if held.totp_secret else ""
    except CannotOpen:
        return ""


def _remove(user_id: uuid.UUID) -> None:
    held = _held(user_id)
    held.totp_secret = held.totp_confirmed_at = held.totp_begun_by = held.totp_begun_at = None
    recovery_codes.forget(user_id)


def _record(act: str, user_id: uuid.UUID, **details: object) -> None:
    user = db.session.get_one(User, user_id)
    audit.record(act, "user", user_id, actor=user.email, tenant_id=user.tenant_id, **details)


def _is_on() -> AppError:
    return AppError(409, "second_factor_is_on", _l("The second factor is set up already."))
