"""How much of the deals was analysed, and why the rest was not: the stages in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synkro.i18n import _l

STAGES = {
    "leads": _l("Deals"),
    "with_phone": _l("With a phone"),
    "with_chat": _l("With a chat"),
    "analysed": _l("Analysed"),
}
REASONS = {
    "no_contact": _l("no contact"),
    "no_phone": _l("no phone"),
    "no_chat": _l("no chat"),
    "group": _l("only a group chat"),
    "too_long": _l("dialog too long"),
    "over_budget": _l("over the budget"),
    "blocked": _l("refused by the AI's filter"),
    "not_sent": _l("not sent to the AI"),
    "no_messages": _l("no messages in the period"),
}


def coverage(stages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A word that this version does not know is shown as it is."""
    return {"steps": [_step(stage) for stage in stages]}


def _step(stage: Mapping[str, Any]) -> dict[str, Any]:
    losses = [{"reason": str(REASONS.get(reason, reason)), "count": count} for reason, count in stage["lost"].items()]
    return {"title": str(STAGES.get(stage["stage"], stage["stage"])), "count": stage["count"], "losses": losses}
