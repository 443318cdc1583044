"""Placeholders of an answer become words again: all of them in the cabinet, names only where others may read along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synkro.analysis.ai.answer import Answer
from synkro.analysis.matching.phones import HIDDEN, masked
from synkro.analysis.text.masking import Masker


def restore(answer: Answer, issued: Mapping[str, str]) -> Answer:
    """issued: placeholder to what is shown for it. Works on the values only: the structure is never text."""
    masker = Masker(issued)

    def shown(value: Any) -> Any:
        if isinstance(value, str):
            return masker.unmask(value)
        if isinstance(value, (list, tuple)):
            return [shown(item) for item in value]
        return {name: shown(item) for name, item in value.items()} if isinstance(value, dict) else value

    return Answer.from_json(shown(answer.to_json()))


def discreet(issued: Mapping[str, str]) -> dict[str, str]:
    """For a group chat and for lists: names as they are, of a phone its ends, of everything else nothing."""
    return {placeholder: _discreet(placeholder, value) for placeholder, value in issued.items()}


def _discreet(placeholder: str, value: str) -> str:
    if placeholder.startswith("[CLIENT_"):
        return value
    return masked(value) if placeholder.startswith("[PHONE_") else HIDDEN
