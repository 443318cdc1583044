"""Median and p90 against the standard library."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.analysis.figures.spread import Spread, spread

VALUES = st.lists(st.floats(0, 1e9), min_size=2, max_size=60)


@given(VALUES)
def test_the_median_is_that_of_the_standard_library(values: list[float]) -> None:
    assert spread(values).median == pytest.approx(statistics.median(values))


@given(VALUES)
def test_p90_interpolates_between_closest_ranks(values: list[float]) -> None:
    assert spread(values).p90 == pytest.approx(statistics.quantiles(values, n=10, method="inclusive")[8])


def test_one_value_is_its_own_spread() -> None:
    assert spread([7]) == Spread(7, 7, 1)


def test_no_values_have_no_spread() -> None:
    assert spread([]) == Spread(None, None, 0)
