"""Passwords: which are good enough, and how one takes the place of another."""

from __future__ import annotations

import re
import uuid

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from synkro.errors import AppError
from synkro.i18n import _l
from synkro.infra import clock
from synkro.models import Credential, Tenant, User
from synkro.services import audit
from synkro.services.auth import sessions
from synkro.services.auth.guessing import is_guessable
from synkro.services.mail import notices
from synkro.tenancy import db, system_scope

SHORTEST, LONGEST = 12, 128
PRODUCT = ("synkro", "amocrm", "radist")
HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")
"""Has no bytes to hash; comes from a command line of another encoding."""

hasher = PasswordHasher()
DECOY = "$argon2id$v=19$m=65536,t=3,p=4$rozrreBOK0XHq/16k7lDCw$8eJfabeoTdlfcXC5m+4qll9HBTgMIvxRbShSQAwC0Ew"
"""Checked where there is no hash, so that the answer takes as long. Of a password that nobody kept; written down
because to compute it would cost every start of a process what a sign-in costs. A test holds it to hasher's parameters.
"""


def verify(password: str, *, email: str, company: str) -> None:
    """Raises AppError with what is wrong with a new password. company: its name, "" for staff.

    NIST SP 800-63B and ASVS 6.2: a length, no rules of composition, nothing that is easily guessed; taken as typed.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise AppError(422, "password_length", _l("A password has 12 to 128 characters"))
    if HALF_A_CHARACTER.search(password):
        raise AppError(422, "password_characters", _l("A password has characters that can be typed"))
    words = [*PRODUCT, email, *re.split(r"[\W_]+", email), company, *re.split(r"[\W_]+", company)]
    if is_guessable(password, words):
        raise AppError(
            422,
            "password_common",
            _l("This password is easy to guess. Take four or more words that do not belong together"),
        )


def matches(stored: str, password: str) -> bool:
    """One hash is computed whatever is stored and typed, so that the answer takes as long."""
    try:
        return hasher.verify(stored or DECOY, password[: LONGEST + 1].encode(errors="replace")) and bool(stored)
    except (VerifyMismatchError, InvalidHashError):
        return False


def change(user: User, new: str, *, keep: uuid.UUID | None, actor: str = "") -> None:
    """A first or a new password. Ends all sessions but `keep`. Raises AppError where the password is not good enough.

    actor: who did it where nobody is signed in.
    """
    with system_scope("sign-in: the password of a person and all of the person's sessions"):
        store(user, new, keep=keep, actor=actor)
        db.session.commit()
    notices.password_changed(user)


def store(user: User, new: str, *, keep: uuid.UUID | None, actor: str = "") -> None:
    """What `change` does, as part of an act in the system scope. The caller commits, and then tells the person."""
    company = db.session.get(Tenant, user.tenant_id) if user.tenant_id else None
    verify(new, email=user.email, company=company.name if company else "")
    held = db.session.get(Credential, user.id) or Credential(user_id=user.id, password_hash="")
    if held.password_hash and matches(held.password_hash, new):
        raise AppError(422, "password_same", _l("This is the password of before. Take a new one."))
    held.password_hash, held.password_changed_at = hasher.hash(new), clock.now()
    db.session.add(held)
    sessions.end_all(user.id, but=keep)
    audit.record("password_changed", "user", user.id, actor=actor, tenant_id=user.tenant_id)
