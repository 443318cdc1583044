"""Letters about the locks of an account, to the person whose account it is. They never break the act."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import datetime

from flask_babel import gettext
from sqlalchemy import ColumnElement, select

from synkro import clock
from synkro.integrations import INTEGRATIONS
from synkro.models import Tenant, User
from synkro.services import letters, outbox
from synkro.services.letters import Reader, Words
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

    _tell(User.id == user.id, words)


def second_factor_changed(user: User) -> None:
    """Set up, renewed, reset: the person learns of it. Call it after the commit."""

    def words(reader: Reader) -> Words:
        when = letters.at(reader, clock.now())
        return Words(
            subject=gettext("The second factor of your account has changed"),
            lines=[gettext("The second step of signing in was set up, changed or taken away: %(when)s.", when=when)],
            bye=_if_not_you(),
        )

    _tell(User.id == user.id, words)


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

    _tell(User.id == user_id, words)


def password_changed(user: User) -> None:
    """A first password or another one was set. Call it after the commit."""

    def words(reader: Reader) -> Words:
        when = letters.at(reader, clock.now())
        return Words(
            subject=gettext("Your account has a new password"),
            lines=[gettext("A password was set for your account: %(when)s.", when=when)],
            bye=_if_not_you(),
        )

    _tell(User.id == user.id, words)


def key_changed(tenant_id: uuid.UUID, kind: str) -> None:
    """A key of a connection was replaced: the people with settings right learn of it. Call it after the commit."""

    def words(reader: Reader) -> Words:
        service = str(INTEGRATIONS[kind].title)
        return Words(
            subject=gettext("A key was changed: %(service)s", service=service),
            lines=[
                gettext(
                    "The key of %(service)s was changed in the cabinet of %(company)s: %(when)s.",
                    service=service,
                    company=reader.company,
                    when=letters.at(reader, clock.now()),
                )
            ],
            bye=gettext("If none of you did this, look at the audit of your company and tell your administrator."),
        )

    _tell((User.tenant_id == tenant_id) & User.can_manage_settings, words)


def settings_changed_by_staff(tenant_id: uuid.UUID, kind: str) -> None:
    """Staff have saved settings without a key: the people with settings right learn of it. Call it after the commit."""

    def words(reader: Reader) -> Words:
        service = str(INTEGRATIONS[kind].title)
        return Words(
            subject=gettext("Settings were changed for you: %(service)s", service=service),
            lines=[
                gettext(
                    "Synkro's staff changed the settings of %(service)s in the cabinet of %(company)s: %(when)s.",
                    service=service,
                    company=reader.company,
                    when=letters.at(reader, clock.now()),
                )
            ],
            bye=gettext("If none of you asked for help, look at the audit of your company and tell us."),
        )

    _tell((User.tenant_id == tenant_id) & User.can_manage_settings, words)


def connection_changed(tenant_id: uuid.UUID, kind: str, change: str, says: Callable[[], str]) -> None:
    """A service no longer works, or works again: the people with settings right learn of it. Call after the commit.

    says: the sentence of the fault, in the language of the moment.
    """

    def words(reader: Reader) -> Words:
        service = str(INTEGRATIONS[kind].title)
        if change == "mended":
            return Words(
                subject=gettext("It works again: %(service)s", service=service),
                lines=[gettext("%(service)s of %(company)s works again.", service=service, company=reader.company)],
                bye=gettext("There is nothing to do."),
            )
        where = gettext("Open Settings in Synkro, choose %(service)s and press Check.", service=service)
        broken = gettext("%(service)s of %(company)s does not work.", service=service, company=reader.company)
        return Words(
            subject=gettext("It does not work: %(service)s", service=service),
            lines=[broken, says(), where],
            bye=gettext("Until then reports may fail. You get one letter when it breaks and one when it works again."),
        )

    _tell((User.tenant_id == tenant_id) & User.can_manage_settings, words)


def report_waits(tenant_id: uuid.UUID, goes_at: datetime | None) -> None:
    """A report waits to be read before the group sees it. goes_at: when it goes by itself. Call it after the commit."""

    def words(reader: Reader) -> Words:
        waits = gettext(
            "A new report of %(company)s is in the cabinet. The group has not seen it.", company=reader.company
        )
        ends = (
            gettext("It goes to the group by itself: %(when)s.", when=letters.at(reader, goes_at))
            if goes_at
            else gettext("It does not go by itself: open it, read it and press “Send to the group”.")
        )
        return Words(
            subject=gettext("A report waits for you"),
            lines=[waits, ends],
            bye=gettext("Reports wait because your schedule says so: Settings, Schedule."),
        )

    _tell((User.tenant_id == tenant_id) & User.can_manage_settings, words)


def person_invited(user: User) -> None:
    """Staff have invited somebody into a company: its people with settings right learn of it. Call after the commit."""

    def words(reader: Reader) -> Words:
        who = letters.foreign(user.email)
        return Words(
            subject=gettext("Somebody was invited to your company"),
            lines=[
                gettext(
                    "%(email)s was invited to the cabinet of %(company)s and will read its reports.",
                    email=who,
                    company=reader.company,
                )
            ],
            bye=gettext("If nobody of you asked for it, tell your administrator."),
        )

    if user.tenant_id:
        _tell((User.tenant_id == user.tenant_id) & User.can_manage_settings & (User.id != user.id), words)


def _if_not_you() -> str:
    return str(gettext("If it was not you, set a new password at once and tell your administrator."))


def _tell(whom: ColumnElement[bool], words: Callable[[Reader], Words]) -> None:
    try:
        for letter_id in _stored(whom, words):
            outbox.ring(letter_id)
    except Exception as error:  # what it tells of has happened already
        log.error("notice not written", exc_info=error)


def _stored(whom: ColumnElement[bool], words: Callable[[Reader], Words]) -> list[uuid.UUID]:
    with system_scope("mail: a notice may concern anybody"):
        people = select(User, Tenant).outerjoin(Tenant, Tenant.id == User.tenant_id).where(whom, User.is_active)
        stored = []
        for user, company in db.session.execute(people):
            letter = letters.written(letters.reader_of(user, company), words)
            stored.append(outbox.put(user.id, letter, clock.now() + outbox.LIFE))
        db.session.commit()
    return stored
