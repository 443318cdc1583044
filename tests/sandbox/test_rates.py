"""The vendors' way of counting requests."""

from __future__ import annotations

import time

from synkro.sandbox.rates import Rate


def test_a_rate_lets_through_its_number_and_then_refuses() -> None:
    rate = Rate()
    assert [rate.allow(2) for _ in range(3)] == [True, True, False]


def test_a_rate_forgets_after_a_second() -> None:
    rate = Rate()
    rate.allow(1)
    time.sleep(1)
    assert rate.allow(1)


def test_a_rate_of_nought_never_refuses() -> None:
    rate = Rate()
    assert all(rate.allow(0) for _ in range(100))
