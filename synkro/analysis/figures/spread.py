"""Median and 90th percentile, the two numbers that describe waiting times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """median and p90 in the unit of the values; both None when there are no values (n == 0)."""

    median: float | None
    p90: float | None
    n: int


def spread(values: Iterable[float]) -> Spread:
    ordered = sorted(values)
    if not ordered:
        return Spread(None, None, 0)
    return Spread(_percentile(ordered, 0.5), _percentile(ordered, 0.9), len(ordered))


def _percentile(ordered: Sequence[float], share: float) -> float:
    """Linear interpolation between the closest ranks."""
    rank = share * (len(ordered) - 1)
    low = int(rank)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (rank - low))
