"""What every AI provider can do, in the few words that the analysis needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from synkro.integrations.http.client import HttpClient, HttpConnection

Outcome = Literal["ok", "truncated", "blocked", "empty"]
"""truncated: cut off by a limit or for a reason we do not know. blocked: refused by the vendor's content rules."""
READ_SECONDS = 300
"""Models that think are slow, and nothing comes before the whole answer does."""
NOT_FOR_TEXT = ("image", "tts", "live", "embed", "audio", "video", "robotics", "computer-use")
"""In the id of a model: it is there for something else."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can write text. Limits are tokens, 0 where the vendor does not tell."""

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
    """A vendor with one key and one model. Raises ApiError kinds only.

    settings: those of the integration; an empty model is enough for the list.
    """

    def __init__(self, settings: Mapping[str, str], http_client: HttpClient) -> None:
        self.model = settings.get("model", "").strip()
        self.http = self.connect(settings, http_client)

    @abstractmethod
    def connect(self, settings: Mapping[str, str], http_client: HttpClient) -> HttpConnection:
        """The connection, with one credential."""

    @abstractmethod
    def list_models(self) -> list[Model]:
        """The models that this key may use for text."""

    @abstractmethod
    def count_tokens(self, system: str, user: str) -> int | None:
        """How much of the model's input limit a request would take; None where the vendor does not count. Is free."""

    @abstractmethod
    def generate(self, system: str, user: str, schema: Mapping[str, Any] | None, max_output_tokens: int) -> Generation:
        """Asks the model. schema: JSON Schema of the answer; a model that knows none answers in free text.

        system holds our instructions only, user the client's data. Costs money: not repeated after a lost answer.
        """
