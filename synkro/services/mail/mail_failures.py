"""Why a letter did not leave, for staff: what each code of the post means, and what to do next."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from flask_babel import LazyString

from synkro.i18n import _l
from synkro.services.mail import outbox


@dataclass(frozen=True, slots=True)
class Trouble:
    """Two sentences: what happened, and what to do about it."""

    says: LazyString
    to_do: LazyString


WRONG_ADDRESS = _l("Look at the e-mail for a slip. To set it right, delete this account and invite the person anew.")
WRONG_SERVER = _l("Check the host and the port in MAIL_URL, and whether the mail server can be reached from here.")

TROUBLES = {
    "mail_bad_address": Trouble(_l("Letters cannot be sent to this e-mail."), WRONG_ADDRESS),
    "mail_address_refused": Trouble(_l("The mail server takes no letters to this e-mail."), WRONG_ADDRESS),
    "mail_away": Trouble(_l("The mail server did not answer."), WRONG_SERVER),
    "mail_too_long": Trouble(_l("The mail server took too long to take the letter."), WRONG_SERVER),
    "mail_login": Trouble(
        _l("The mail server did not let Synkro in."), _l("Check the user and the password in MAIL_URL.")
    ),
    "mail_certificate": Trouble(
        _l("The mail server could not prove that it is the right one."),
        _l("Check that the host in MAIL_URL is the one in the certificate of the mail server."),
    ),
    "mail_not_supported": Trouble(
        _l("The mail server does not offer what MAIL_URL asks for."),
        _l("Check the port and the beginning of MAIL_URL: usually smtps:// with 465, smtp:// with 587."),
    ),
    "mail_refused": Trouble(
        _l("The mail server refused the letter."),
        _l("Check MAIL_FROM: the mail server has to let this sender through."),
    ),
    "mail_folder": Trouble(
        _l("MAIL_URL is empty, and the letter could not be written as a file."),
        _l("Check that the disk has room and that Synkro may write to VAR_DIR/mail."),
    ),
    "mail_late": Trouble(
        _l("The letter did not leave in time, so it was given up."),
        _l("Check that a worker is running and that MAIL_URL is right."),
    ),
    "mail_unreadable": Trouble(
        _l("The stored letter could no longer be opened."),
        _l("Check that FIELD_ENCRYPTION_KEYS_OLD holds the earlier keys."),
    ),
    "internal": Trouble(
        _l("Something broke on our side. It was written down."),
        _l("Have the log of the worker looked at."),
    ),
}
"""For every code that synkro.mail, the post and the outbox give."""


def of(user_id: uuid.UUID) -> Trouble | None:
    """With the latest letter to this person; None when nothing is wrong."""
    code = outbox.failure_of_letter(user_id)
    # a row may hold a code of another release
    return TROUBLES.get(code, TROUBLES["internal"]) if code else None
