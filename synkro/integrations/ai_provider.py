"""What every AI provider can do, in the few words that the analysis needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from synkro.integrations.http import Http

Outcome = Literal["ok", "truncated", "blocked", "empty"]
"""truncated: cut off by a limit or for a reason we do not know. blocked: refused by the vendor's content rules."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can write text. Limits are tokens."""

    id: str
    title: str
    input_limit: int
    output_limit: int


@dataclass(frozen=True, slots=True)
class Generation:
    """One answer. tokens_out: everything that is billed as output; tokens_thought: the part of it that was thinking."""

    text: str
    outcome: Outcome
    tokens_in: int
    tokens_out: int
    tokens_thought: int
    model: str
    finish_reason: str


class AiProvider(ABC):
    """A vendor with one key and one model. Raises ApiError kinds only."""

    http: Http

    @abstractmethod
    def list_models(self) -> list[Model]:
        """The models that this key may use for text."""

    @abstractmethod
    def count_tokens(self, system: str, user: str) -> int:
        """How much of the model's input limit a request would take. Costs nothing."""

    @abstractmethod
    def generate(self, system: str, user: str, schema: Mapping[str, Any] | None, max_output_tokens: int) -> Generation:
        """Asks the model. schema: JSON Schema of the answer; a model that knows none answers in free text.

        system holds our instructions only, user the client's data. Costs money: not repeated after a lost answer.
        """
