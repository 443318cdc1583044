"""The AI that a client has chosen: one integration, whoever the provider is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from synkro.i18n import _l
from synkro.integrations.ai_prices import cost
from synkro.integrations.ai_provider import AiProvider, Generation, Model
from synkro.integrations.base import Check, Field, Integration, Preview
from synkro.integrations.errors import ApiError, Busy, Gone, Refused
from synkro.integrations.gemini import Gemini
from synkro.integrations.gemini_errors import SENTENCES
from synkro.integrations.http import Door, Http

__all__ = ["PROVIDERS", "Ai", "AiProvider", "Generation", "Model", "cost"]

PROVIDERS: dict[str, type[Gemini]] = {"gemini": Gemini}
CHECK_TOKENS = 256


class Ai(Integration):
    kind = "ai"
    title = _l("AI")
    fields = (
        Field("provider", _l("Provider"), show=True, required=False, choices=tuple(PROVIDERS)),
        Field("api_key", _l("API key")),
        Field("model", _l("Model"), show=True, required=False),
        Field("base_url", _l("API address, for an OpenAI-compatible provider"), show=True, required=False),
    )
    sentences: ClassVar = SENTENCES | {
        "ai_ok": _l("Connected: %(model)s answers."),
        "ai_choose_model": _l("The key works. Choose a model."),
        "ai_odd_answer": _l("The model is reached but gave no usable answer. Check once more or choose another one."),
        "ai_unknown_provider": _l("This AI provider is not supported."),
    }

    def connect(self, door: Door) -> Http:
        made = PROVIDERS.get(self.settings.get("provider") or "gemini")
        if made is None:
            raise Refused("ai_unknown_provider")
        self.provider = made(self.settings["api_key"].strip(), self.settings.get("model", "").strip(), door)
        return self.provider.http

    def check(self) -> Check:
        """Lists the models and has the chosen one say a word: some keys may list but not ask."""
        models = {model.id for model in self.provider.list_models()}
        if not self.provider.model:
            return Check("yellow", "ai_choose_model")
        if self.provider.model not in models:
            return Check("yellow", "ai_model_gone")
        return self._try_out()

    def _try_out(self) -> Check:
        try:
            said = self.provider.generate("", "Reply with the one word OK.", None, CHECK_TOKENS)
        except Busy as error:
            if error.code != "ai_day_quota":
                raise
            return Check("yellow", "ai_day_quota")
        if said.outcome in ("ok", "truncated"):
            return Check("green", "ai_ok", {"model": said.model})
        return Check("yellow", "ai_odd_answer")

    def sample(self, count: int = 3) -> list[Preview]:  # noqa: ARG002 -- an AI has no items to show
        return []

    def list_models(self) -> list[Model]:
        return self.provider.list_models()

    @cached_property
    def limits(self) -> Model | None:
        """The chosen model as the vendor lists it, asked for once; None where that fails: then nobody knows a limit."""
        try:
            return next((model for model in self.provider.list_models() if model.id == self.provider.model), None)
        except ApiError:
            return None

    def count_tokens(self, system: str, user: str) -> int:
        self._chosen()
        return self.provider.count_tokens(system, user)

    def generate(self, system: str, user: str, schema: Mapping[str, Any] | None, max_output_tokens: int) -> Generation:
        self._chosen()
        return self.provider.generate(system, user, schema, max_output_tokens)

    def _chosen(self) -> None:
        if not self.provider.model:
            raise Gone("ai_choose_model")
