"""Letters about the locks of an account, to the person whose account it is. They never break the act."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable

from flask_babel import gettext
from sqlalchemy import ColumnElement, select

from synkro.infra import clock
from synkro.models import Tenant, User
from synkro.services.mail import letters, outbox
from synkro.services.mail.letters import Reader, Words
from synkro.tenancy import db, system_scope

log = logging.getLogger(__name__)


def new_device(user: User, address: str, agent: str) -> None:
    """Somebody signed in from a browser that was never seen with this account. Call it after the commit."""

    def words(reader: Reader) -> Words:
        where, browser = letters.foreign(address), letters.foreign(agent)
        return Words(
            subject=gettext("Sign-in to Synkro from a new browser"),
            lines=[
                gettext("Your account was opened in a browser that it was not opened in before."),
                gettext(
                    "Time: %(when)s. Address: %(address)s. Browser: %(agent)s.",
                    when=letters.at(reader, clock.now()),
                    address=where,
                    agent=browser,
                ),
            ],
            bye=_if_not_you(),
        )

    tell(User.id == user.id, words)


def second_factor_changed(user: User) -> None:
    """Set up, renewed, reset: the person learns of it. Call it after the commit."""

    def words(reader: Reader) -> Words:
        when = letters.at(reader, clock.now())
        return Words(
            subject=gettext("The second factor of your account has changed"),
            lines=[gettext("The second step of signing in was set up, changed or taken away: %(when)s.", when=when)],
            bye=_if_not_you(),
        )

    tell(User.id == user.id, words)


def recovery_code_used(user_id: uuid.UUID, left: int) -> None:
    """Somebody came in without the app. left: codes that still open. Call it after the commit."""

    def words(reader: Reader) -> Words:
        when = letters.at(reader, clock.now())
        return Words(
            subject=gettext("A recovery code opened your account"),
            lines=[
                gettext("One of your recovery codes was used instead of a code of the app: %(when)s.", when=when),
                gettext("Recovery codes that still work: %(count)s.", count=str(left)),
            ],
            bye=_if_not_you(),
        )

    tell(User.id == user_id, words)


def password_changed(user: User) -> None:
    """A first password or another one was set. Call it after the commit."""

    def words(reader: Reader) -> Words:
        when = letters.at(reader, clock.now())
        return Words(
            subject=gettext("Your account has a new password"),
            lines=[gettext("A password was set for your account: %(when)s.", when=when)],
            bye=_if_not_you(),
        )

    tell(User.id == user.id, words)


def _if_not_you() -> str:
    return str(gettext("If it was not you, set a new password at once and tell your administrator."))


def tell(whom: ColumnElement[bool], words: Callable[[Reader], Words]) -> None:
    """As send, but it breaks no act."""
    try:
        send(whom, words)
    except Exception as error:  # what it tells of has happened already
        log.error("notice not written", exc_info=error)


def send(whom: ColumnElement[bool], words: Callable[[Reader], Words]) -> None:
    """Put a letter for each of these people on its way. Raises where they cannot be stored: then none is."""
    for letter_id in _stored(whom, words):
        outbox.enqueue(letter_id)


def _stored(whom: ColumnElement[bool], words: Callable[[Reader], Words]) -> list[uuid.UUID]:
    with system_scope("mail: a notice may concern anybody"):
        people = select(User, Tenant).outerjoin(Tenant, Tenant.id == User.tenant_id).where(whom, User.is_active)
        stored = []
        for user, company in db.session.execute(people):
            letter = letters.written(letters.reader_of(user, company), words)
            stored.append(outbox.put(user.id, letter, clock.now() + outbox.LIFE))
        db.session.commit()
    return stored
