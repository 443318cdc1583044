"""What our letters say. Each is written in the language of whoever gets it, not of whoever caused it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import current_app
from flask_babel import force_locale, format_datetime, gettext

from synkro.analysis.text.cleaning import one_line
from synkro.i18n import DEFAULT_LANGUAGE, timezone
from synkro.mail import Letter
from synkro.models import Tenant, User

LONGEST_FOREIGN = 120
"""Of what a browser or a stranger has written."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets a letter. company: '' for staff."""

    email: str
    name: str
    language: str
    zone: ZoneInfo
    company: str


@dataclass(frozen=True, slots=True)
class Words:
    """bye: the last line. link: '' for none."""

    subject: str
    lines: list[str]
    bye: str
    link: str = ""
    link_words: str = ""


def reader_of(user: User, company: Tenant | None) -> Reader:
    return Reader(
        email=user.email,
        name=one_line(user.name, LONGEST_FOREIGN),
        language=user.language or (company.language if company else "") or DEFAULT_LANGUAGE,
        zone=ZoneInfo(company.timezone if company else timezone()),
        company=one_line(company.name, LONGEST_FOREIGN) if company else "",
    )


def invitation(reader: Reader, link: str, until: datetime) -> Letter:
    def words(reader: Reader) -> Words:
        return Words(
            subject=gettext("You are invited to Synkro"),
            lines=[
                gettext("You were invited to the cabinet of %(company)s in Synkro.", company=reader.company)
                if reader.company
                else gettext("You were invited to look after Synkro."),
                gettext("Choose a password to come in. The link works once, until %(until)s.", until=at(reader, until)),
            ],
            link=link,
            link_words=gettext("Choose a password"),
            bye=gettext("If you expected no invitation, do nothing: without you the account stays closed."),
        )

    return written(reader, words)


def reset(reader: Reader, link: str, until: datetime, address: str) -> Letter:
    """address: whoever asked for it."""

    def words(reader: Reader) -> Words:
        who = foreign(address)
        return Words(
            subject=gettext("A new password for Synkro"),
            lines=[
                gettext("A new password for your account was asked for from the address %(address)s.", address=who),
                gettext("If it was you, choose one. The link works once, until %(until)s.", until=at(reader, until)),
            ],
            link=link,
            link_words=gettext("Choose a new password"),
            bye=gettext("If it was not you, do nothing: your password stays as it is."),
        )

    return written(reader, words)


def offer(reader: Reader, link: str, until: datetime) -> Letter:
    """A link to a new password that an administrator made."""

    def words(reader: Reader) -> Words:
        return Words(
            subject=gettext("A new password for Synkro"),
            lines=[
                gettext("An administrator of Synkro made a link to a new password for your account."),
                gettext("Choose one. The link works once, until %(until)s.", until=at(reader, until)),
            ],
            link=link,
            link_words=gettext("Choose a new password"),
            bye=gettext("If you did not ask for it, tell your administrator: your password stays as it is."),
        )

    return written(reader, words)


def at(reader: Reader, moment: datetime) -> str:
    """In the zone of the reader; rebase would take that of whoever's request this is."""
    return str(format_datetime(moment.astimezone(reader.zone), "d MMMM y, HH:mm", rebase=False))


def foreign(text: str) -> str:
    return one_line(text, LONGEST_FOREIGN) or str(gettext("unknown"))


def written(reader: Reader, words: Callable[[Reader], Words]) -> Letter:
    """words is called once the language is that of the reader."""
    with force_locale(reader.language):
        said = words(reader)
        hello = gettext("Hello, %(name)s!", name=reader.name) if reader.name else gettext("Hello!")
        context = {"letter": said, "hello": hello, "language": reader.language}
        text, html = (_rendered(f"mail/letter.{kind}", context) for kind in ("txt", "html"))
    return Letter(reader.email, said.subject, text, html, reader.language)


def _rendered(name: str, context: dict[str, object]) -> str:
    """Without what pages need: there may be no request, or one of somebody else."""
    return str(current_app.jinja_env.get_template(name).render(context))
