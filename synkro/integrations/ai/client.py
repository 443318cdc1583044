"""The AI that a client has chosen: one integration, whoever the provider is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from synkro.i18n import _l
from synkro.infra import clock
from synkro.integrations.ai.gemini import errors as gemini_errors
from synkro.integrations.ai.gemini.client import Gemini
from synkro.integrations.ai.openai import errors as openai_errors
from synkro.integrations.ai.openai.address import tidy_base
from synkro.integrations.ai.openai.client import OpenAi
from synkro.integrations.ai.prices import cost, price
from synkro.integrations.ai.provider import AiProvider, Generation, Model
from synkro.integrations.base import Act, Check, Field, Integration, Offer, Preview
from synkro.integrations.errors import ApiError, Gone, Refused
from synkro.integrations.http.client import HttpClient, HttpConnection

__all__ = ["PROVIDERS", "Ai", "AiProvider", "Generation", "Model", "cost"]

PROVIDERS: dict[str, type[AiProvider]] = {"gemini": Gemini, "openai": OpenAi}
CHECK_TOKENS = 1_024
"""Room for one word and the thoughts before it."""
MODEL_GONE = "ai_model_gone"
WORKS_LATER = frozenset({"ai_day_quota", "ai_server_quota", MODEL_GONE})
"""Failures of the try-out that say nothing against the key."""


class Ai(Integration):
    kind = "ai"
    acts = (Act("package", 60), Act("analysis", 180, is_evidence=True), Act("write", 60))
    left = _l("The first answer is left")
    sources = ("amocrm", "radist")
    title = _l("AI")
    ways: ClassVar = {"gemini": _l("Google Gemini"), "openai": _l("OpenAI-compatible")}
    way_field = "provider"
    host_refused = "ai_host_not_approved"
    fields = (
        Field(
            "provider",
            _l("Provider"),
            show=True,
            required=False,
            choices=tuple(PROVIDERS),
            by_hand=False,
            host=True,
        ),
        Field(
            "base_url",
            _l("API address"),
            show=True,
            way="openai",
            host=True,
            hint=_l("For example https://api.example.com/v1. With a new address the key is needed once more"),
        ),
        Field("api_key", _l("API key")),
        Field(
            "model",
            _l("Model"),
            show=True,
            required=False,
            way="openai",
            hint=_l(
                "The check brings the list: most tokens in / out; dollars per million tokens in / out; ? is unknown"
            ),
        ),
    )
    sentences: ClassVar = {
        **gemini_errors.SENTENCES,
        **openai_errors.SENTENCES,
        "ai_ok": _l("Connected: %(model)s answers."),
        "ai_choose_model": _l("The key works. Choose a model."),
        "ai_odd_answer": _l("The model is reached but gave no usable answer. Check once more or choose another one."),
        "ai_unknown_provider": _l("This AI provider is not supported."),
    }

    @classmethod
    def tidied(cls, values: Mapping[str, str]) -> dict[str, str]:
        return {name: tidy_base(value) if name == "base_url" else value for name, value in values.items()}

    def connect(self, http_client: HttpClient) -> HttpConnection:
        made = PROVIDERS.get(self.settings.get("provider") or "gemini")
        if made is None:
            raise Refused("ai_unknown_provider")
        self.provider = made(self.settings, http_client)
        return self.provider.http

    def check(self) -> Check:
        """Lists the models and has the chosen one say a word: some keys may list but not ask."""
        models = {model.id for model in self._models}
        if not self.provider.model:
            return Check("red", "ai_choose_model", stands="choice")
        if self.provider.model not in models:
            return Check("yellow", MODEL_GONE, stands="choice")
        return self._try_out()

    def _try_out(self) -> Check:
        """Green from words that were seen. Costs a few dozen tokens, which are not among the booked calls of runs."""
        try:
            said = self.provider.generate("", "Reply with the one word OK.", None, CHECK_TOKENS)
        except ApiError as error:
            if error.code not in WORKS_LATER:
                raise
            return Check("yellow", error.code, error.params, "choice" if error.code == MODEL_GONE else "unsure")
        if said.text.strip() and said.outcome in ("ok", "truncated"):
            return Check("green", "ai_ok", {"model": said.model})
        return Check("yellow", "ai_odd_answer", stands="idle", passing=True)

    def sample(self, count: int = 3) -> list[Preview]:  # noqa: ARG002 -- an AI has no items to show
        return []

    def offers(self) -> dict[str, list[Offer]]:
        return {"model": [Offer(model.id, model.title, _note(model)) for model in self._models]}

    def list_models(self) -> list[Model]:
        return self.provider.list_models()

    @cached_property
    def _models(self) -> list[Model]:
        """Asked for once."""
        return self.list_models()

    @cached_property
    def limits(self) -> Model | None:
        """The chosen model as the vendor lists it; None where that fails: then nobody knows a limit."""
        try:
            return next((model for model in self._models if model.id == self.provider.model), None)
        except ApiError:
            return None

    def count_tokens(self, system: str, user: str) -> int | None:
        """None where the provider does not count: then an estimate has to do."""
        self._chosen()
        return self.provider.count_tokens(system, user)

    def generate(self, system: str, user: str, schema: Mapping[str, Any] | None, max_output_tokens: int) -> Generation:
        self._chosen()
        return self.provider.generate(system, user, schema, max_output_tokens)

    def _chosen(self) -> None:
        if not self.provider.model:
            raise Gone("ai_choose_model")


def _note(model: Model) -> str:
    """Limits and price, without a word: it is stored, and people of several languages read it."""
    counts = (
        f"{limit:,}".replace(",", "\u00a0") if limit else "?" for limit in (model.input_limit, model.output_limit)
    )
    limits = " / ".join(counts)
    known = price(model.id, clock.now().date())
    return f"{limits}; " + (f"${known.into} / ${known.out}" if known else "$?")
