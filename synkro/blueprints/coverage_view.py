"""How much of the deals was analysed, and why the rest was not: the stages in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synkro.analysis.definitions import LOSSES, STAGES


def coverage(stages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A word that this version does not know is shown as it is."""
    return {"steps": [_step(stage) for stage in stages]}


def _step(stage: Mapping[str, Any]) -> dict[str, Any]:
    losses = [{"reason": str(LOSSES.get(reason, reason)), "count": count} for reason, count in stage["lost"].items()]
    return {"title": str(STAGES.get(stage["stage"], stage["stage"])), "count": stage["count"], "losses": losses}
