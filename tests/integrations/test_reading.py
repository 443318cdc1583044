"""What is made of a vendor's values: counts that a column holds, and JSON that a row and a page can take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.integrations.reading import LONGEST_TEXT, MOST_COUNTED, MOST_ITEMS, bounded, count

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
)


@pytest.mark.parametrize(
    ("value", "counted"),
    [(7, 7), ("7", 7), (7.0, 7), (-1, 0), (True, 0), (None, 0), ("many", 0), (10**18, MOST_COUNTED), (10**30, 0)],
)
def test_a_count_is_never_more_than_a_column_holds(value: Any, counted: int) -> None:
    assert count(value) == counted


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(inner)


@given(JSON)
def test_whatever_comes_can_be_stored(value: Any) -> None:
    kept = bounded(value)
    assert json.dumps(kept, allow_nan=False)
    said = "".join(texts(kept)).encode()  # which half a surrogate pair has no place in
    assert b"\0" not in said


@given(st.dictionaries(st.text("abc"), st.integers(-9, 9) | st.booleans() | st.text("abc ", max_size=9).map(str.strip)))
def test_what_is_harmless_stays_as_it_is(value: dict[str, Any]) -> None:
    assert bounded(value) == value


def test_nothing_grows_without_end() -> None:
    deep: Any = "x"
    for _ in range(500):
        deep = [deep]
    assert len(bounded("x" * 10_000)) == LONGEST_TEXT
    assert len(bounded([1] * 10_000)) == len(bounded({str(n): 1 for n in range(10_000)})) == MOST_ITEMS
    assert "x" not in str(bounded(deep))
