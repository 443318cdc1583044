"""Personal data never survives masking, and comes back whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.analysis.text.masking import PLACEHOLDER, Masker

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
HANDLES = st.from_regex(r"@[a-z_][a-z0-9_]{2,10}", fullmatch=True)
LINKS = st.builds(
    lambda scheme, host, path: f"{scheme}{host}/{path}",
    st.sampled_from(["", "https://", "http://www."]),
    st.sampled_from(["t.me", "wa.me", "instagram.com", "T.me"]),
    st.from_regex(r"[0-9]{3,10}[?=/0-9]{0,5}", fullmatch=True),
)
SECRETS = PHONES | FOREIGN | IINS | CARDS | EMAILS | HANDLES | LINKS


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
        ("wa.me/77011234567", "[LINK_1]"),
        ("пишите t.me/aselya_kz.", "пишите [LINK_1]."),
        ("(https://www.instagram.com/aselya.kz?igsh=a#b)", "([LINK_1])"),
        ("https://api.whatsapp.com/send?phone=77011234567", "[LINK_1]"),
        ("aselya_kz.t.me", "[LINK_1]"),
        ("инста @aselya_kz!", "инста [HANDLE_1]!"),
        ("инста:@aselya.kz", "инста:[HANDLE_1]"),
        ("instagram.com", "instagram.com"),
        ("https://vk.company/price", "https://vk.company/price"),
        ("https://a.kz/?u=https://t.me/aselya", "https://a.kz/[QUERY_1]"),
        ("3 шт @ 500", "3 шт @ 500"),
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


CASES = {
    "Айгерим": "Айгерима Айгериму Айгеримге айгеримнің Айгеримды АЙГЕРИМГА Айгериммен",
    "Марина": "Марины Марине марину Мариной Маринаға Маринаның Маринамен Маринага",
    "Иван": "Ивана Ивану Иваном Иване Иванға",
    "Сергей": "Сергея Сергею Сергеем Сергейге",
    "Игорь": "Игоря Игорю Игорем",
    "Дмитрий": "Дмитрия Дмитрию Дмитрием",
    "Мария": "Марии Марию Марией",
    "Иванов": "Иванова Иванову Ивановым Ивановой",
    "Достоевский": "Достоевского Достоевскому Достоевским",
    "Сәкен": "Сәкенге Сәкеннің Сәкенмен",
    "Марат": "Маратқа Маратты Маратпен",
}


@pytest.mark.parametrize("name", CASES)
def test_a_name_is_hidden_in_every_case_and_comes_back_as_written(name: str) -> None:
    masker = Masker()
    masked = masker.mask(CASES[name], [name])
    assert PLACEHOLDER.sub("", masked).split() == []
    assert masker.unmask(masked) == CASES[name]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Айгерим", "Айгеримовна и Айгеримчик"),
        ("Света", "свет и светлый"),
        ("Алма", "Алматы"),
        ("Ира", "Иру"),  # too short to tell it from other words
        ("Иван", "иваново диваны"),
        ("John", "Johna"),
    ],
)
def test_what_only_begins_like_a_name_stays(name: str, text: str) -> None:
    assert Masker().mask(text, [name]) == text


def test_both_halves_of_a_double_name_have_cases() -> None:
    assert Masker().mask("скажите Анне-Марии", ["Анна-Мария"]) == "скажите [CLIENT_1]-[CLIENT_2]"


def test_the_clients_username_is_a_name() -> None:
    assert Masker().mask("мой ник aselya_kz, найдёте", ["aselya_kz"]) == "мой ник [CLIENT_1], найдёте"


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
