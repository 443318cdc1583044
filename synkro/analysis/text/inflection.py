"""Names as people write them inside a sentence: in the cases of Russian and Kazakh."""

from __future__ import annotations

import re

SHORTEST = 4
"""Shorter names have no forms here: with an ending they are too many other words."""

_CYRILLIC = re.compile(r"[а-яёәғқңөұүһі]+")
_VOWELS = frozenset("аяоёеэиыуюіәөүұ")
_LOST_ENDS = _VOWELS | {"й", "ь"}
"""Last letters whose place a Russian ending takes."""
_ADJECTIVES = frozenset({"ий", "ый", "ой", "ая", "яя"})

_RUSSIAN = "а я ы и у ю е ё ой ей ёй ою ею ом ем ём ым им"
_OF_ADJECTIVES = "ий ый ой ая яя ого его ому ему ую юю ою ею ым им ом ем ей"
# Kazakh endings agree with the last letter. Many people type them without the letters that Russian lacks.
_AFTER_VOWEL = "ға ге га ны ні ни ның нің нын нин да де дан ден мен"
_AFTER_CONSONANT = (
    "ға ге га қа ке ка ны ні ни ды ді ди ты ті ти ның нің нын нин дың дің дын дин тың тің тын тин "
    "да де та те дан ден тан тен нан нен мен бен пен"
)
LONGEST_CHANGE = 5
"""Letters that may follow the stem: those which the name has there and an ending, or an ending in their place."""


def stem(name: str) -> str:
    """The letters that all forms of a word begin with."""
    return name[:-2] if _is_adjective(name.lower()) else name[:-1]


def forms(name: str) -> frozenset[str]:
    """The case forms of one word in small letters, itself not among them; none where it is short or not Cyrillic."""
    word = name.lower()
    if len(word) < SHORTEST or not _CYRILLIC.fullmatch(word):
        return frozenset()
    kazakh = _AFTER_VOWEL if word[-1] in _VOWELS else _AFTER_CONSONANT
    root = word[:-1] if word[-1] in _LOST_ENDS else word
    found = {word + ending for ending in kazakh.split()} | {root + ending for ending in _RUSSIAN.split()}
    if _is_adjective(word):
        found |= {word[:-2] + ending for ending in _OF_ADJECTIVES.split()}
    return frozenset(found - {word})


def _is_adjective(word: str) -> bool:
    return len(word) > SHORTEST + 1 and word[-2:] in _ADJECTIVES
