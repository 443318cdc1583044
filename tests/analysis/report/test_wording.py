"""Numbers and times in words."""

from __future__ import annotations

import pytest

from synkro.analysis.report.wording import duration, number
from tests.support.deals_and_chats import identity


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "no data"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (3_600, "1 h"),
        (3_659, "1 h"),
        (4_320, "1 h 12 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d"),
        (89_999, "1 d"),
        (97_200, "1 d 3 h"),
    ],
)
def test_durations_use_two_units_at_most_and_none_that_is_zero(seconds: float | None, words: str) -> None:
    assert duration(seconds, identity) == words


def test_durations_are_translated_with_their_numbers() -> None:
    assert duration(360, {"%(minutes)s min": "%(minutes)s мин"}.__getitem__) == "6 мин"


def test_thousands_stand_apart_without_breaking() -> None:
    assert number(1_500_000) == "1\u00a0500\u00a0000"
