"""Personal data out of texts before they leave for the AI: stable placeholders, restored only for display."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import zip_longest

from synkro.analysis.money_and_dates import is_amount_or_date

PLACEHOLDER = re.compile(r"\[(?:PHONE|EMAIL|CARD|IIN|NUMBER|QUERY|CLIENT|TEXT)_[0-9]+\]")

_QUERY = re.compile(r"(?<=\w://)([^\s?#]*)([?#]\S+)|(?<=\S)(\?[^\s?=]+=\S*)")
_EMAIL = re.compile(r"(?<![\w.+%'-])[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")
_GAP = r"[^\S\n]"
_NUMBER = re.compile(rf"(?:\+{_GAP}?)?\(?\d(?:(?:{_GAP}|[().\-‐-―−_·]){{0,4}}\d)*")
_CITY_NUMBER = re.compile(r"\d{3}-\d{2}-\d{2}")
_SHORTEST_NUMBER = 10
_SHORTEST_WITH_PLUS = 8
_SHORTEST_NAME = 3


class Masker:
    """One per run: the same value always gets the same placeholder. `issued` is what a later step needs to unmask."""

    def __init__(self, issued: Mapping[str, str] | None = None) -> None:
        """issued: placeholder to value, as another Masker of this run left it."""
        self.issued = dict(issued or {})
        self._by_value = {value: placeholder for placeholder, value in self.issued.items()}
        self._counts = Counter(placeholder[1:].rpartition("_")[0] for placeholder in self.issued)

    def mask(self, text: str, names: Iterable[str] = ()) -> str:
        """names: what the client of this dialog is called; each is hidden as a whole word, in any case of letters."""
        text = PLACEHOLDER.sub(lambda found: self._hide("TEXT", found[0]), text)
        text = _QUERY.sub(self._query, text)
        text = _EMAIL.sub(lambda found: self._hide("EMAIL", found[0]), text)
        text = _outside_placeholders(_NUMBER, text, self._number)
        words = _words_of(tuple(names))
        return _outside_placeholders(words, text, lambda found: self._hide("CLIENT", found)) if words else text

    def unmask(self, text: str) -> str:
        """Puts back what this run has hidden. A placeholder it never issued stays as it is."""
        return PLACEHOLDER.sub(lambda found: self.issued.get(found[0], found[0]), text)

    def _hide(self, kind: str, value: str) -> str:
        known = self._by_value.get(value)
        if known:
            return known
        self._counts[kind] += 1
        placeholder = f"[{kind}_{self._counts[kind]}]"
        self.issued[placeholder] = value
        self._by_value[value] = placeholder
        return placeholder

    def _query(self, found: re.Match[str]) -> str:
        # A query may hold a placeholder already; it is stored as it was typed, since unmask looks only once.
        return (found[1] or "") + self._hide("QUERY", self.unmask(found[2] or found[3]))

    def _number(self, text: str) -> str:
        digits = "".join(str(int(char)) for char in text if char.isdecimal())
        kind = _kind_of_number(text, digits)
        return self._hide(kind, text) if kind else text


def _kind_of_number(text: str, digits: str) -> str:
    """What a number seems to be; empty for amounts, dates and whatever is too short to identify anybody."""
    if _CITY_NUMBER.fullmatch(text) or (text[0] == "+" and len(digits) >= _SHORTEST_WITH_PLUS):
        return "PHONE"
    if len(digits) < _SHORTEST_NUMBER or is_amount_or_date(text):
        return ""
    if len(digits) <= 11:
        return "PHONE"
    if len(digits) == 12:
        return "IIN"
    return "CARD" if len(digits) <= 19 and _luhn(digits) else "NUMBER"


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    total = sum(int(digit) for digit in digits[-1::-2]) + sum(value - 9 if value > 9 else value for value in doubled)
    return total % 10 == 0


@lru_cache(maxsize=1)
def _words_of(names: tuple[str, ...]) -> re.Pattern[str] | None:
    """The names whole and word by word, longest first, so that a full name is hidden at once."""
    whole = {" ".join(name.split()) for name in names}
    words = {word for name in whole for word in re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", name)}
    usable = sorted((part for part in whole | words if _is_name(part)), key=lambda part: (-len(part), part))
    if not usable:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(part) for part in usable)})(?!\w)", re.IGNORECASE)


def _is_name(part: str) -> bool:
    return len(part) >= _SHORTEST_NAME and any(char.isalpha() for char in part)


def _outside_placeholders(pattern: re.Pattern[str], text: str, replace: Callable[[str], str]) -> str:
    """Replaces what the pattern finds between placeholders, never inside one."""
    kept = PLACEHOLDER.findall(text)
    parts = [pattern.sub(lambda found: replace(found[0]), part) for part in PLACEHOLDER.split(text)]
    return "".join(part + placeholder for part, placeholder in zip_longest(parts, kept, fillvalue=""))
