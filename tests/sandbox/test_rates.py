"""The vendors' way of counting requests."""

from __future__ import annotations

from synkro.sandbox.rates import Rate
from tests.support.clocks import Standing


def test_a_rate_lets_through_its_number_and_then_refuses(standing: Standing) -> None:
    rate = Rate()
    assert [rate.allow(2) for _ in range(3)] == [True, True, False]


def test_a_rate_forgets_after_a_second(standing: Standing) -> None:
    rate = Rate()
    rate.allow(1)
    standing.now += 1
    assert rate.allow(1)


def test_a_rate_of_nought_never_refuses() -> None:
    rate = Rate()
    assert all(rate.allow(0) for _ in range(100))
