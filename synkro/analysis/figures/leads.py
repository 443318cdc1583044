"""Which deals belong to a report, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from synkro.analysis.figures.window import Window
from synkro.infra.records import Lead, Stage

LeadKind = Literal["open", "won", "lost"]
StageKey = tuple[int, int]

WON, LOST = 142, 143
UNSORTED = 1
"""The kind of the incoming stage: applications nobody has taken yet (amoCRM: stage type 1)."""


def unsorted_stages(stages: Iterable[Stage]) -> frozenset[StageKey]:
    return frozenset((stage.pipeline_id, stage.status_id) for stage in stages if stage.kind == UNSORTED)


def selected(lead: Lead, window: Window, unsorted: frozenset[StageKey]) -> bool:
    """Whether the deal was updated inside the window, still exists and somebody has taken it."""
    if lead.is_deleted or (lead.pipeline_id, lead.status_id) in unsorted:
        return False
    return window.contains_second(lead.updated_at)


def kind_of(lead: Lead) -> LeadKind:
    if lead.status_id == WON:
        return "won"
    return "lost" if lead.status_id == LOST else "open"


@dataclass(slots=True)
class LeadSums:
    """Running counts and price sums of selected deals. A null price adds nothing and is counted."""

    counts: dict[LeadKind, int] = field(default_factory=lambda: {"open": 0, "won": 0, "lost": 0})
    prices: dict[LeadKind, int] = field(default_factory=lambda: {"open": 0, "won": 0, "lost": 0})
    price_null: int = 0

    def add(self, lead: Lead) -> None:
        kind = kind_of(lead)
        self.counts[kind] += 1
        self.prices[kind] += lead.price or 0
        self.price_null += lead.price is None

    def result(self) -> dict[str, int]:
        return {
            "leads_in_window": sum(self.counts.values()),
            **{f"leads_{kind}": count for kind, count in self.counts.items()},
            **{f"price_sum_{kind}": total for kind, total in self.prices.items()},
            "price_null": self.price_null,
        }
