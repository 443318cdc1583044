"""Personal data never survives masking, and comes back whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.analysis.masking import PLACEHOLDER, Masker

GAPS = st.sampled_from(["", " ", "-", "\u00a0", " - ", ".", "–"])
DIGIT = st.sampled_from("0123456789")
AROUND = st.text("абв xyz,!:;\n", max_size=12)


def digits(size: int) -> st.SearchStrategy[str]:
    return st.text(DIGIT, min_size=size, max_size=size)


def with_check_digit(stem: str) -> str:
    total = sum(value - 9 if value > 9 else value for value in (int(digit) * 2 for digit in stem[::-2]))
    total += sum(int(digit) for digit in stem[-2::-2])
    return stem + str(-total % 10)


PHONES = st.builds(
    lambda prefix, code, rest, gap: gap.join((prefix + code, rest[:3], rest[3:5], rest[5:])),
    st.sampled_from(["+7", "8", "+7(", "8 "]),
    st.sampled_from(["701", "777", "912", "495"]),
    digits(7),
    GAPS,
)
FOREIGN = st.builds(lambda rest, gap: f"+998{gap}{rest[:2]}{gap}{rest[2:]}", digits(9), GAPS)
IINS = st.builds(lambda rest, gap: f"9{rest[:5]}{gap}{rest[5:]}", digits(11), st.sampled_from(["", " "]))
CARDS = st.builds(
    lambda stem, gap: gap.join(with_check_digit("4" + stem)[start : start + 4] for start in range(0, 16, 4)),
    digits(14),
    st.sampled_from(["", " ", "-"]),
)
EMAILS = st.from_regex(r"[a-z][a-z0-9.+_-]{0,10}@[a-z]{2,8}\.(kz|com)", fullmatch=True)
SECRETS = PHONES | FOREIGN | IINS | CARDS | EMAILS


@given(AROUND, SECRETS, AROUND)
def test_personal_data_never_survives(before: str, secret: str, after: str) -> None:
    masked = Masker().mask(f"{before} {secret} {after}")
    left = PLACEHOLDER.sub("", masked)
    assert not any(char.isdigit() or char == "@" for char in left)


@given(
    st.lists(st.text(max_size=40) | SECRETS | st.sampled_from(["[PHONE_1]", "[TEXT_1]", "https://a.kz/p?x=[PHONE_1]"]))
)
def test_unmasking_brings_everything_back(parts: list[str]) -> None:
    masker = Masker()
    texts = [" ".join(parts), *parts]
    assert [masker.unmask(masker.mask(text, ["Айгерим Сатпаева", "x"])) for text in texts] == texts


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("звоните 8 701 123 45 67!", "звоните [PHONE_1]!"),
        ("городской 258-00-00", "городской [PHONE_1]"),
        ("wa.me/77011234567", "wa.me/[PHONE_1]"),
        ("иин 900101300123", "иин [IIN_1]"),
        ("4111 1111 1111 1111", "[CARD_1]"),
        ("почта Ivan.P@mail.kz.", "почта [EMAIL_1]."),
        ("https://pay.kz/x?token=a#b ok", "https://pay.kz/x[QUERY_1] ok"),
        ("pay.kz/x?token=a ok", "pay.kz/x[QUERY_1] ok"),
        ("٠٧٧٠١١٢٣٤٥٦٧", "[IIN_1]"),
    ],
)
def test_each_kind_has_its_placeholder(text: str, masked: str) -> None:
    assert Masker().mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "цена 1 500 000 тг",
        "от 1 500 000 - 12 000 000",
        "до 21.11.2026 14:05",
        "2026-11-21 14:05",
        "заказ 123456",
        "почему?",
    ],
)
def test_amounts_dates_and_order_numbers_stay(text: str) -> None:
    assert Masker().mask(text) == text


def test_the_same_value_keeps_its_placeholder_over_a_run() -> None:
    masker = Masker()
    assert masker.mask("a@b.kz c@d.kz") == "[EMAIL_1] [EMAIL_2]"
    assert masker.mask("c@d.kz") == "[EMAIL_2]"
    later = Masker(masker.issued)
    assert later.mask("c@d.kz e@f.kz") == "[EMAIL_2] [EMAIL_3]"


def test_names_are_hidden_as_whole_words_in_any_case() -> None:
    masked = Masker().mask("Айгерим, АЙГЕРИМ! Айгеримовна, Сатпаева", ["Айгерим Сатпаева"])
    assert masked == "[CLIENT_1], [CLIENT_2]! Айгеримовна, [CLIENT_3]"


def test_a_name_with_regex_signs_is_only_text() -> None:
    assert Masker().mask("see .*(x) here", [".*(x)", "(["]) == "see [CLIENT_1] here"


def test_a_name_cannot_break_a_placeholder() -> None:
    assert Masker().mask("phone 87011234567", ["Phone"]) == "[CLIENT_1] [PHONE_1]"


def test_a_placeholder_nobody_issued_stays() -> None:
    assert Masker().unmask("[PHONE_7] and [CLIENT_1]") == "[PHONE_7] and [CLIENT_1]"


def test_a_client_cannot_pull_out_anothers_phone() -> None:
    masker = Masker()
    masker.mask("87011234567")
    assert masker.unmask(masker.mask("tell me [PHONE_1]")) == "tell me [PHONE_1]"
