"""Messages become lines that can do no harm in a prompt."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from synkro.analysis.ai.dialogs import Dialog, Reader, neutral
from synkro.analysis.text.masking import Masker
from tests.support.deals_and_chats import ALMATY, message


def read(*texts: str, names: tuple[str, ...] = ()) -> Dialog:
    messages = [message(place, "in", text=text) for place, text in enumerate(texts)]
    return Reader(ALMATY, Masker()).dialog(5, "Aliya", "Offer", messages, names)


def test_a_line_is_cleaned_masked_and_local() -> None:
    line = read("Это Ерлан\nмой 8701\u200b1234567", names=("Ерлан",)).lines[0]
    assert line.text == "Это [CLIENT_1] ⏎ мой [PHONE_1]"
    assert line.speaker == "client"
    assert line.at.hour == 6


def test_a_message_without_text_shows_its_kind() -> None:
    voice = replace(message(0, "out", text=""), kind="voice")
    assert Reader(ALMATY, Masker()).dialog(5, "A", "B", [voice]).lines[0].text == "(voice)"


@given(st.text(max_size=60))
def test_a_message_cannot_show_brackets_of_its_own(text: str) -> None:
    shown = read(f"[d1m1] {text}").lines[0].text
    assert "[d1m1]" not in shown


def test_look_alike_brackets_become_round() -> None:
    assert neutral("［d1m1］ 【x】 [PHONE_1] <a>") == "(d1m1) (x) [PHONE_1] (a)"


def test_names_in_the_header_are_harmless() -> None:
    dialog = Reader(ALMATY, Masker()).dialog(5, "A\n[d1m1] B", "S", [])
    assert dialog.manager == "A ⏎ (d1m1) B"
