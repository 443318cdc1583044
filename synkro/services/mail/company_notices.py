"""Letters about a company, to its people with the right to settings. None but connection_changed breaks an act."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from flask_babel import gettext
from sqlalchemy import ColumnElement

from synkro.infra import clock
from synkro.integrations import INTEGRATIONS
from synkro.models import User
from synkro.services.mail import letters, notices
from synkro.services.mail.letters import Reader, Words


def key_changed(tenant_id: uuid.UUID, kind: str) -> None:
    """A key of a connection was replaced."""

    def told(service: str, company: str, when: str) -> Words:
        changed = gettext(
            "The key of %(service)s was changed in the cabinet of %(company)s: %(when)s.",
            service=service,
            company=company,
            when=when,
        )
        return Words(
            subject=gettext("A key was changed: %(service)s", service=service),
            lines=[changed],
            bye=gettext("If none of you did this, look at the audit of your company and tell your administrator."),
        )

    _settings_changed(tenant_id, kind, told)


def settings_changed_by_staff(tenant_id: uuid.UUID, kind: str) -> None:
    """Staff have saved settings without a key."""

    def told(service: str, company: str, when: str) -> Words:
        changed = gettext(
            "Synkro's staff changed the settings of %(service)s in the cabinet of %(company)s: %(when)s.",
            service=service,
            company=company,
            when=when,
        )
        return Words(
            subject=gettext("Settings were changed for you: %(service)s", service=service),
            lines=[changed],
            bye=gettext("If none of you asked for help, look at the audit of your company and tell us."),
        )

    _settings_changed(tenant_id, kind, told)


def _settings_changed(tenant_id: uuid.UUID, kind: str, told: Callable[[str, str, str], Words]) -> None:
    """told: what the letter says, from the names of service and company and the time of now."""

    def words(reader: Reader) -> Words:
        return told(str(INTEGRATIONS[kind].title), reader.company, letters.at(reader, clock.now()))

    notices.tell(_settings_people(tenant_id), words)


def connection_changed(tenant_id: uuid.UUID, kind: str, change: str, says: Callable[[], str]) -> None:
    """A service no longer works, works again, or works and the check has a remark.

    says: the sentence of the fault, in the language of the moment. Raises where the letters cannot be stored: then
    nobody was told, and the caller tells it later.
    """

    told = {"mended": _mended, "remark": _remarked, "broken": _broken}[change]

    def words(reader: Reader) -> Words:
        return told(str(INTEGRATIONS[kind].title), reader.company, says())

    notices.send(_settings_people(tenant_id), words)


def _mended(service: str, company: str, _says: str) -> Words:
    return Words(
        subject=gettext("It works again: %(service)s", service=service),
        lines=[gettext("%(service)s of %(company)s works again.", service=service, company=company)],
        bye=gettext("There is nothing to do."),
    )


def _remarked(service: str, company: str, says: str) -> Words:
    works = gettext("%(service)s of %(company)s works. The check has a remark:", service=service, company=company)
    return Words(
        subject=gettext("Worth knowing: %(service)s", service=service),
        lines=[works, says],
        bye=gettext("You get one letter about it."),
    )


def _broken(service: str, company: str, says: str) -> Words:
    where = gettext("Open Settings in Synkro, choose %(service)s and press Check.", service=service)
    broken = gettext("%(service)s of %(company)s does not work.", service=service, company=company)
    return Words(
        subject=gettext("It does not work: %(service)s", service=service),
        lines=[broken, says, where],
        bye=gettext("Until then reports may fail. You get one letter when it breaks and one when it works again."),
    )


def report_waits(tenant_id: uuid.UUID, goes_at: datetime | None) -> None:
    """A report waits to be read before the group sees it. goes_at: when it goes by itself."""

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

    notices.tell(_settings_people(tenant_id), words)


def person_invited(user: User) -> None:
    """Staff have invited somebody into a company."""

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
        notices.tell(_settings_people(user.tenant_id) & (User.id != user.id), words)


def _settings_people(tenant_id: uuid.UUID) -> ColumnElement[bool]:
    return (User.tenant_id == tenant_id) & User.can_manage_settings
