"""Any server that speaks OpenAI's chat completions: OpenAI, a router, or a model that the company runs itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from synkro.integrations.ai.openai import answer as openai_answer
from synkro.integrations.ai.openai.address import base_address
from synkro.integrations.ai.openai.errors import PartRefused, PromptBlocked, check_answer
from synkro.integrations.ai.provider import READ_SECONDS, AiProvider, Generation, Model
from synkro.integrations.errors import Lost, Nonsense
from synkro.integrations.http.client import HttpClient, HttpConnection

LIMITS = ("max_tokens", "max_completion_tokens", "")
"""What the limit of an answer is called: the old name, the one that newer models of OpenAI want, or nothing at all."""
FORMS = ("json_schema", "json_object", "")
"""How an answer in JSON is asked for, the strictest first; "": in words only."""


class OpenAi(AiProvider):
    """What a server has once refused it is not asked for again by the same client."""

    def connect(self, settings: Mapping[str, str], http_client: HttpClient) -> HttpConnection:
        """Raises Refused for an address that is not allowed; nobody is called before that."""
        address = base_address(settings.get("base_url", ""), http_client)
        self._form = self._limit = 0
        key = {"Authorization": f"Bearer {settings['api_key'].strip()}"}
        return http_client.open(
            "openai", urlsplit(address).hostname or "", address, check_answer=check_answer, headers=key
        )

    def list_models(self) -> list[Model]:
        return openai_answer.models(self.http.get("/models"))

    def count_tokens(self, system: str, user: str) -> int | None:  # noqa: ARG002 -- these servers do not count
        return None

    def generate(self, system: str, user: str, schema: Mapping[str, Any] | None, max_output_tokens: int) -> Generation:
        while True:
            limit = {LIMITS[self._limit]: max_output_tokens} if LIMITS[self._limit] else {}
            try:
                return self._generate({**limit, **self._asked(system, user, schema)})
            except PartRefused as error:
                self._give_way(error)
            except PromptBlocked:
                return Generation("", "blocked", 0, 0, 0, self.model, "content_filter")

    def _give_way(self, error: PartRefused) -> None:
        """The next way to say the same; the refusal itself where there is none."""
        if error.part == "limit" and self._limit < len(LIMITS) - 1:
            self._limit += 1
        elif error.part == "form" and self._form < len(FORMS) - 1:
            self._form += 1
        else:
            raise error

    def _asked(self, system: str, user: str, schema: Mapping[str, Any] | None) -> dict[str, Any]:
        if schema is None:
            return _messages(system, user)
        form = FORMS[self._form]
        if form == "json_schema":
            shape = {"type": form, form: {"name": "answer", "schema": dict(schema)}}
            return {**_messages(system, user), "response_format": shape}
        told = f"{system}\n\nAnswer with JSON only, by this JSON Schema:\n{json.dumps(schema, ensure_ascii=False)}"
        return {**_messages(told.strip(), user), **({"response_format": {"type": form}} if form else {})}

    def _generate(self, body: dict[str, Any]) -> Generation:
        """Repeated only after an answered 429 or 5xx: a lost answer may have been paid for."""
        answer = self.http.post(
            "/chat/completions",
            {"model": self.model, **body},
            tries=4,
            final=(Lost, Nonsense),
            read_seconds=READ_SECONDS,
            deadline_seconds=READ_SECONDS + 30,
        )
        return openai_answer.generation(answer, self.model)


def _messages(system: str, user: str) -> dict[str, Any]:
    rules = [{"role": "system", "content": system}] if system else []
    return {"messages": [*rules, {"role": "user", "content": user}]}
