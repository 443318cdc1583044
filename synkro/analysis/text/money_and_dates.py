"""Long runs of digits that identify nobody: dates with a time, and ranges of amounts."""

from __future__ import annotations

import re

_DATE = re.compile(r"(?:\d{1,2}([./-])\d{1,2}\1(?:19|20)\d{2}|(?:19|20)\d{2}-[01]\d-[0-3]\d)(?: \d{1,2})?")
_AMOUNT = r"\d{1,3}(?:[ .\u00a0\u202f]\d{3}){1,2}"
_AMOUNT_RANGE = re.compile(rf"{_AMOUNT} [-–—] {_AMOUNT}")


def is_amount_or_date(text: str) -> bool:
    """A single amount never reaches ten digits in practice, so only "1 500 000 - 2 000 000" needs to be told apart."""
    return bool(_DATE.fullmatch(text) or _AMOUNT_RANGE.fullmatch(text))
