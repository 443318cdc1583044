"""Phones out of free text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.analysis.matching.phones import chat_number, mask, masked, normalise

NATIONAL = st.from_regex(r"[79][0-9]{9}", fullmatch=True)
GAPS = st.sampled_from(["", " ", "-", ".", " - ", "\u00a0", "–"])


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("+7 (701) 123-45-67", ["77011234567"]),
        ("8 701 123 45 67", ["77011234567"]),
        ("7011234567", ["77011234567"]),
        ("8 701 123 45 67, +77027654321", ["77011234567", "77027654321"]),
        ("87011234567 87027654321", ["77011234567", "77027654321"]),
        ("701 123 45 67 702 765 43 21", ["77011234567", "77027654321"]),
        ("87011234567/77011234567", ["77011234567"]),
        ("+998 90 123 45 67", ["998901234567"]),
        ("00 998 90 123 45 67", ["998901234567"]),
        ("8-10-998-90-123-45-67", ["998901234567"]),
        ("+84 912 345 678", ["84912345678"]),
        ("44 7911123456", ["447911123456"]),
        ("+372 512 3456", ["3725123456"]),
        ("+7 727 258 00 00 доб. 105", ["77272580000"]),
        ("8 727 258 00 00 105", ["77272580000"]),
        ("Айгуль, после 18:00: 8(701)1234567 whatsapp", ["77011234567"]),
        ("+7\u200b701\u00a0123\u20114567", ["77011234567"]),
        ("٧٧٠١١٢٣٤٥٦٧", ["77011234567"]),
    ],
)
def test_one_number_has_one_form(typed: str, numbers: list[str]) -> None:
    assert normalise(typed) == tuple(numbers)


@pytest.mark.parametrize("junk", ["", "нет", "258-00-00", "+", "+7701123456", "0" * 9_000, "(((", "105"])
def test_what_cannot_be_dialled_gives_nothing(junk: str) -> None:
    assert normalise(junk) == ()


@given(NATIONAL, st.sampled_from(["+7", "8", "7", ""]), GAPS, GAPS)
def test_every_way_to_write_a_home_number_is_the_same(national: str, prefix: str, gap: str, late: str) -> None:
    typed = gap.join(part for part in (prefix, national[:3], national[3:6]) if part) + late + national[6:]
    assert normalise(typed) == ("7" + national,)


@given(st.lists(NATIONAL, min_size=1, max_size=5), st.sampled_from([",", "; ", " / ", "\n", " и "]))
def test_a_field_with_several_numbers_gives_each_once(nationals: list[str], separator: str) -> None:
    typed = separator.join("8" + national for national in nationals)
    assert normalise(typed) == tuple(dict.fromkeys("7" + national for national in nationals))


@given(st.text(max_size=300) | st.text("0123456789+() -", max_size=3_000))
def test_hostile_text_gives_only_numbers_of_dialable_length(typed: str) -> None:
    assert all(number.isascii() and number.isdigit() and 8 <= len(number) <= 15 for number in normalise(typed))


@given(NATIONAL)
def test_normalising_a_normal_number_changes_nothing(national: str) -> None:
    assert normalise("7" + national) == ("7" + national,)


@pytest.mark.parametrize(
    ("received", "number"),
    [
        ("77011234567", "77011234567"),
        ("87011234567", "77011234567"),
        ("7011234567", "77011234567"),
        ("9161234567", "79161234567"),
        ("84912345678", "74912345678"),
        ("+84912345678", "84912345678"),
        ("+998901234567", "998901234567"),
        ("998901234567", "998901234567"),
        ("2125551234", "2125551234"),
        ("12036304123456789012", None),
        ("", None),
        (None, None),
    ],
)
def test_a_chat_number_is_taken_for_a_home_one_where_a_field_would_be(received: str | None, number: str | None) -> None:
    assert chat_number(received) == number


@given(st.from_regex(r"([78][0-9]|[346789])[0-9]{9}", fullmatch=True))
def test_a_chat_and_a_field_agree_about_every_home_number(digits: str) -> None:
    assert (chat_number(digits),) == normalise(digits)


def test_a_masked_number_shows_code_and_last_digits() -> None:
    assert mask("77011234567") == "+7 701 ••• 45 67"
    assert mask("998901234567") == "+998 ••• 45 67"
    assert mask("1234") == "•••"


def test_what_holds_no_number_is_hidden_whole() -> None:
    assert masked("room 12345, Ivan") == "•••"


def test_all_numbers_of_a_field_are_masked() -> None:
    assert masked("8 701 123 45 67, 8 702 765 43 21") == "+7 701 ••• 45 67, +7 702 ••• 43 21"


@given(st.from_regex(r"[1-9][0-9]{0,14}", fullmatch=True))
def test_a_mask_hides_three_digits_of_any_number(digits: str) -> None:
    assert sum(char.isdigit() for char in mask(digits)) <= max(len(digits) - 3, 0)


@given(NATIONAL)
def test_a_masked_number_hides_three_digits(national: str) -> None:
    assert sum(char.isdigit() for char in mask("7" + national)) == 8
