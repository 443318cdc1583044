"""Nothing to click is left."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.analysis.text.links import without_links

PARTS = st.lists(
    st.sampled_from(
        ["https://", "http", "evil.kz", "/x", "[", "](", ")", "!", " ", "www.", "@bot", "<", ">", "javascript:", "a"]
    )
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("see [our site](https://evil.kz/a?b=c) now", "see our site now"),
        ("![pixel](https://evil.kz/p.png)", ""),
        ("[![x](http://a.kz)](http://b.kz) y", "y"),
        ("<https://evil.kz> end", "end"),
        ("javascript:alert(1) end", "end"),
        ("tg://resolve?domain=x end", "end"),
        ("evil.kz/login end", "end"),
        ("shop.kz sells", "shop[.]kz sells"),
        ("ask @evil_bot", "ask evil_bot"),
        ("[x](/settings) y", "x y"),
        ("цена 3.5 млн, т.е. много. Итого [PHONE_1]", "цена 3.5 млн, т.е. много. Итого [PHONE_1]"),
    ],
)
def test_what_can_be_clicked_goes(text: str, left: str) -> None:
    assert without_links(text) == left


@given(PARTS)
def test_no_address_survives_in_any_arrangement(parts: list[str]) -> None:
    left = without_links("".join(parts))
    assert not re.search(r"\w://\w|\bwww\.\w|\w\.kz\b|\bjavascript:|@\w|\]\(", left)
