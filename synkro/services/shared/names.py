"""What companies and people may be called, and which addresses are e-mail addresses."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email

from synkro.analysis.text.cleaning import one_line
from synkro.errors import AppError
from synkro.i18n import _l

LONGEST_NAME = 200


def valid_name(text: str) -> str:
    """The name with single spaces, '' for none. Raises AppError for one that could deceive a reader.

    Names go into letters, messages and lists: what hides, reorders or looks like a tag is refused, not repaired.
    """
    name = " ".join(text[: LONGEST_NAME * 2].split())
    if len(text) > LONGEST_NAME * 2 or len(name) > LONGEST_NAME:
        raise AppError(422, "name_too_long", _l("A name has at most 200 characters"))
    if one_line(text.strip(), LONGEST_NAME) != name or "<" in name or ">" in name:
        raise AppError(422, "bad_name", _l("A name has no angle brackets, line ends or invisible characters"))
    return name


def valid_email(text: str) -> str:
    try:
        return str(validate_email(text.strip(), check_deliverability=False, test_environment=True).normalized)
    except EmailNotValidError:
        raise AppError(422, "bad_email", _l("This is not an e-mail address")) from None
