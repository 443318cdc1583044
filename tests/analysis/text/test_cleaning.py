"""Strangers' text without hidden characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.analysis.text.cleaning import clean, one_line

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=80)
NASTY = st.text("a1 \n\r\u200d\ufe0f\u20e3\u200b\u202e\U000e0041\ud800\x00❤🔥👩👨#", max_size=40)


@pytest.mark.parametrize(
    ("dirty", "shown"),
    [
        ("pay\u202eyap", "payyap"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("hidden\U000e0041\U000e0042 tags", "hidden tags"),
        ("nul\x00 bell\x07", "nul bell"),
        ("lone\ud83d half", "lone half"),
        ("a\u200db \ufe0f", "ab"),
        ("line\r\nline\u2028line", "line\nline\nline"),
    ],
)
def test_what_hides_is_taken_out(dirty: str, shown: str) -> None:
    assert clean(dirty) == shown


@pytest.mark.parametrize("emoji", ["👩\u200d💻", "❤\ufe0f\u200d🔥", "1\ufe0f\u20e3", "👍🏽", "🇰🇿"])
def test_emoji_stay_whole(emoji: str) -> None:
    assert clean(f"ok {emoji} ok") == f"ok {emoji} ok"


@given(ANY_TEXT | NASTY)
def test_clean_text_is_stable_and_can_be_encoded(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert once.encode().decode() == once


@given(ANY_TEXT | NASTY, st.integers(1, 30))
def test_the_limit_holds(text: str, limit: int) -> None:
    assert len(clean(text, limit)) <= limit


def test_a_cut_text_says_so() -> None:
    assert clean("word " * 100, 10) == "word word…"


@given(ANY_TEXT)
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


def test_line_ends_stay_visible_on_one_line() -> None:
    assert one_line("a\nb\r\n\tc") == "a ⏎ b ⏎ c"
