"""Phone numbers out of free text, in one form that can be compared digit for digit."""

from __future__ import annotations

import re
import unicodedata

TEXT_LIMIT = 2_000
"""A phone field longer than this is junk; only its beginning is read."""

HIDDEN = "•••"
"""What stands for the digits that are not shown."""

_EXTENSION = re.compile(
    r"(?:доб(?:авочный)?|внутр?(?:енний)?|вн|ext(?:ension)?|(?<=[\d\s)])[xх#])\s*[.:#№]?\s*\d{1,6}(?!\d)", re.IGNORECASE
)
_PIECE = re.compile(r"(\+?)([\d\s().\-–—‑]+)")
_GROUP = re.compile(r"\d+")
_SHORTEST, _LONGEST = 10, 15
_SHORTEST_WITH_PLUS = 8


def normalise(text: str) -> tuple[str, ...]:
    """All numbers in a field as digits with country code, in order, each once.

    Kazakhstan and Russia: +7, a leading 8 and ten bare digits are one number. Foreign numbers are kept whole.
    Extensions and words around are left out; what is too short to be dialled from abroad gives nothing.
    """
    plain = _EXTENSION.sub(";", _ascii_digits(text[:TEXT_LIMIT]))
    found: dict[str, None] = {}
    for plus, body in _PIECE.findall(plain):
        groups = _GROUP.findall(body)
        numbers = _with_plus(groups) if plus else _without_plus(groups)
        found.update(dict.fromkeys(numbers))
    return tuple(found)


def chat_number(phone: str | None) -> str | None:
    """The number of a messenger chat as `normalise` gives it for the same digits. None when there is no usable one.

    Bare digits that may be a number of Kazakhstan or Russia are taken for one, as they are in a contact's field.
    """
    digits = received(phone)
    if not _SHORTEST_WITH_PLUS <= len(digits) <= _LONGEST:
        return None
    return _trunk_to_code(digits) if "+" in (phone or "") else _home(digits) or digits


def received(phone: str | None) -> str:
    """The digits of a messenger chat as they stand: a messenger writes the country code, be it one of 84 or 372."""
    return "".join(_GROUP.findall(_ascii_digits((phone or "")[:TEXT_LIMIT])))


def masked(typed: str) -> str:
    """What was typed, for display: its numbers masked, all of it hidden where there is none to be dialled."""
    return ", ".join(mask(number) for number in normalise(typed)) or HIDDEN


def mask(number: str) -> str:
    """For display: "+7 701 ••• 45 67". Numbers too short to hide anything come out fully hidden."""
    if len(number) < _SHORTEST:
        return HIDDEN
    head = f"+7 {number[1:4]}" if _is_home(number) else f"+{number[:3]}"
    return f"{head} {HIDDEN} {number[-4:-2]} {number[-2:]}"


def _ascii_digits(text: str) -> str:
    shown = (char for char in text if unicodedata.category(char) != "Cf")
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in shown)


def _is_home(digits: str) -> bool:
    return len(digits) == 11 and digits[0] == "7"


def _trunk_to_code(digits: str) -> str:
    return "7" + digits[1:] if len(digits) == 11 and digits[:2] in {"87", "89"} else digits


def _with_plus(groups: list[str]) -> list[str]:
    digits = "".join(groups)
    if digits[:1] == "7":
        size = _prefix(groups, 11)
        return ["".join(groups[:size]), *_without_plus(groups[size:])] if size else []
    if _SHORTEST_WITH_PLUS <= len(digits) <= _LONGEST:
        return [_trunk_to_code(digits)]
    return []


def _without_plus(groups: list[str]) -> list[str]:
    for at, group in enumerate(groups):
        if len(group) == 11 and _home(group):
            return [*_without_plus(groups[:at]), _home(group), *_without_plus(groups[at + 1 :])]
    digits = "".join(groups)
    if abroad := _international(digits):
        return _with_plus([abroad])
    size = _home_prefix(groups, len(digits))
    if size:
        return [_home("".join(groups[:size])), *_without_plus(groups[size:])]
    return [digits] if _SHORTEST <= len(digits) <= _LONGEST and digits[0] != "0" else []


def _international(digits: str) -> str:
    """What follows a dialled way out of the country (00 or 8-10), or nothing."""
    for way_out in ("00", "810"):
        rest = digits.removeprefix(way_out)
        if rest != digits and 11 <= len(rest) <= _LONGEST:
            return rest
    return ""


def _home_prefix(groups: list[str], total: int) -> int:
    """How many leading groups make one number of Kazakhstan or Russia."""
    if not groups:
        return 0
    first = groups[0][0]
    if first in {"7", "8"} and (size := _prefix(groups, 11)):
        return size
    # Ten digits followed by more could be the beginning of a foreign number, save for 7xx, the mobile codes here.
    if total == _SHORTEST or total > _LONGEST or first == "7" or len(groups[0]) == _SHORTEST:
        size = _prefix(groups, 10)
        return size if size and _home("".join(groups[:size])) else 0
    return 0


def _prefix(groups: list[str], length: int) -> int:
    """How many leading groups together have exactly this many digits; 0 when none."""
    total = 0
    for size, group in enumerate(groups, start=1):
        total += len(group)
        if total >= length:
            return size if total == length else 0
    return 0


def _home(digits: str) -> str:
    """Eleven digits from 7, when these are a number of Kazakhstan or Russia as people type it; else nothing."""
    if len(digits) == 11 and digits[0] in "78":
        return "7" + digits[1:]
    if len(digits) == 10 and digits[0] in "346789":
        return "7" + digits
    return ""
