"""Personal data out of texts before they leave for the AI: stable placeholders, restored only for display."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest

from synkro.analysis.text.inflection import LONGEST_CHANGE, forms, stem
from synkro.analysis.text.money_and_dates import is_amount_or_date

PLACEHOLDER = re.compile(r"\[(?:PHONE|EMAIL|CARD|IIN|NUMBER|QUERY|CLIENT|TEXT|LINK|HANDLE)_[0-9]+\]")

_LINK = re.compile(
    r"(?<![a-z0-9_])(?:https?://)?(?:[a-z0-9_]{4,32}\.t\.me(?![\w-])|"
    r"(?:(?:www|m|web|api|chat)\.)?(?:t\.me|telegram\.me|wa\.me|whatsapp\.com|instagram\.com|instagr\.am|vk\.com|"
    r"facebook\.com|m\.me|tiktok\.com)(?=/\S*\w))(?:/(?:\S*[^\s.,;:!?)»\"'])?)?|tg://\S+",
    re.IGNORECASE,
)
"""A person's page at a messenger or a social network."""
_HANDLE = re.compile(r"[@＠](?=[\w.]*[^\W\d])[\w.]*\w")
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
        """names: what the client of this dialog is called; each is hidden as a whole word, in any case of letters,
        and the longer ones in the cases of Russian and Kazakh too. A placeholder stands for the form that was written.
        """
        text = PLACEHOLDER.sub(lambda found: self._hide("TEXT", found[0]), text)
        text = _outside_placeholders(_LINK, text, lambda found: self._hide("LINK", found[0]))
        text = _QUERY.sub(self._query, text)
        text = _EMAIL.sub(lambda found: self._hide("EMAIL", found[0]), text)
        text = _outside_placeholders(_HANDLE, text, lambda found: self._hide("HANDLE", found[0]))
        text = _outside_placeholders(_NUMBER, text, self._number)
        known = _names_of(tuple(names))
        return _outside_placeholders(known.pattern, text, lambda found: self._name(found, known)) if known else text

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

    def _name(self, found: re.Match[str], known: _Names) -> str:
        stranger = found[1] and found[1].lower() not in known.forms
        return found[0] if stranger else self._hide("CLIENT", found[0])

    def _number(self, found: re.Match[str]) -> str:
        text = found[0]
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


@dataclass(frozen=True, slots=True)
class _Names:
    """What one client is called. pattern: a name as it is, or as group 1 a word that may be one of the forms."""

    pattern: re.Pattern[str]
    forms: frozenset[str]


@lru_cache(maxsize=1)
def _names_of(names: tuple[str, ...]) -> _Names | None:
    """The names whole and word by word, longest first, so that a full name is hidden at once."""
    whole = {" ".join(name.split()) for name in names}
    words = {word for name in whole for word in re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", name)}
    usable = sorted((part for part in whole | words if _is_name(part)), key=lambda part: (-len(part), part))
    if not usable:
        return None
    inflected = {part: found for word in words for part in re.split("['’-]", word) if (found := forms(part))}
    # stems and a look at each word they find: a pattern of all forms would take twenty times as long to compile
    stems = "|".join(sorted(stem(word) for word in inflected)) or "(?!)"
    exact = "|".join(re.escape(part) for part in usable)
    pattern = rf"(?<!\w)(?:{exact}|((?:{stems})[^\W\d_]{{1,{LONGEST_CHANGE}}}))(?!\w)"
    return _Names(re.compile(pattern, re.IGNORECASE), frozenset().union(*inflected.values()))


def _is_name(part: str) -> bool:
    return len(part) >= _SHORTEST_NAME and any(char.isalpha() for char in part)


def _outside_placeholders(pattern: re.Pattern[str], text: str, replace: Callable[[re.Match[str]], str]) -> str:
    """Replaces what the pattern finds between placeholders, never inside one."""
    kept = PLACEHOLDER.findall(text)
    parts = [pattern.sub(replace, part) for part in PLACEHOLDER.split(text)]
    return "".join(part + placeholder for part, placeholder in zip_longest(parts, kept, fillvalue=""))
