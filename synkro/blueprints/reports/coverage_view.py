"""How much of the deals was analysed, and why the rest was not: the stages in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synkro.analysis.figures.definitions import CUT, LOSSES, STAGES
from synkro.blueprints.shared import formats


def coverage(stages: Sequence[Mapping[str, Any]], figures: Mapping[str, Any]) -> dict[str, Any]:
    """A word that this version does not know is shown as it is."""
    cut = figures.get("chats_by_outcome", {}).get("analysed_in_part")
    note = str(CUT) % {"count": formats.number(cut)} if cut else ""
    return {"steps": [_step(stage) for stage in stages], "note": note}


def _step(stage: Mapping[str, Any]) -> dict[str, Any]:
    losses = [{"reason": str(LOSSES.get(reason, reason)), "count": count} for reason, count in stage["lost"].items()]
    return {"title": str(STAGES.get(stage["stage"], stage["stage"])), "count": stage["count"], "losses": losses}
