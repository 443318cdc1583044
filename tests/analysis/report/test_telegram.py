"""Parts of a message: balanced, short enough, nothing lost."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from synkro.analysis.report.telegram import Row, split, units

LINE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")) | st.sampled_from(" <>&🔥"), max_size=120)
ROWS = st.lists(st.builds(Row, LINE, st.sampled_from(["", "b", "i"])), max_size=12)
TAGS = re.compile(r"</?[bi]>")


def shown(parts: list[str]) -> str:
    return "".join(html.unescape(TAGS.sub("", part)) for part in parts)


@given(ROWS, st.integers(20, 200))
def test_parts_are_balanced_and_under_the_limit(rows: list[Row], limit: int) -> None:
    for part in split(rows, limit):
        assert units(part) <= limit
        assert part.strip()
        tags = TAGS.findall(part)
        assert all(close == open_.replace("<", "</") for open_, close in zip(tags[::2], tags[1::2], strict=True))
        assert "<" not in TAGS.sub("", part)


@given(ROWS, st.integers(20, 200))
def test_nothing_is_lost(rows: list[Row], limit: int) -> None:
    written = "".join("".join(row.text for row in rows).split())
    assert "".join(shown(split(rows, limit)).split()) == written


def test_rows_stay_whole_when_they_fit() -> None:
    assert split([Row("a" * 30, "b"), Row("b" * 30), Row("c" * 30)], 70) == [
        f"<b>{'a' * 30}</b>\n{'b' * 30}",
        "c" * 30,
    ]


def test_a_long_row_is_cut_at_a_space() -> None:
    assert split([Row("alpha beta gamma delta")], 12) == ["alpha beta", "gamma delta"]


def test_emoji_count_twice() -> None:
    assert split([Row("🔥" * 10)], 10) == ["🔥" * 5, "🔥" * 5]


def test_a_link_is_escaped_and_whole() -> None:
    assert split([Row("open & read", href='https://a.kz/?a=1&b="2"')], 100) == [
        '<a href="https://a.kz/?a=1&amp;b=&quot;2&quot;">open &amp; read</a>'
    ]


def test_nothing_to_say_is_no_message() -> None:
    assert split([Row(""), Row(" ")], 50) == []
