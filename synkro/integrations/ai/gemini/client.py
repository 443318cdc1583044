"""Gemini by Google, over generateContent: stateless, nothing is stored there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synkro.integrations.ai.gemini.errors import SchemaRefused, check_answer
from synkro.integrations.ai.provider import NOT_FOR_TEXT, READ_SECONDS, AiProvider, Generation, Model, Outcome
from synkro.integrations.errors import Gone, Lost, Nonsense
from synkro.integrations.http.calls import HttpAnswer
from synkro.integrations.http.client import HttpClient, HttpConnection
from synkro.integrations.reading import count, objects, words

HOST = "https://generativelanguage.googleapis.com/v1beta"
MOST_PAGES = 20
LONGEST_NAME = 200
THINKING_BUDGET = 1_024
"""Tokens, for the 2.5 models; later ones take a level. Asking for both is an error (vendor's guide to thinking)."""
SAFETY = [
    {"category": f"HARM_CATEGORY_{name}", "threshold": "BLOCK_ONLY_HIGH"}
    for name in ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
]
"""Clients are rude at times; that is what the report is about."""
BLOCKED = frozenset({"SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "MODEL_ARMOR"})


class Gemini(AiProvider):
    """model: an id as list_models gives it, also with models/ before it."""

    def connect(self, settings: Mapping[str, str], http_client: HttpClient) -> HttpConnection:
        self.model = self.model.removeprefix("models/")
        # One credential, in this header and nowhere else: a second one is refused with 400
        key = {"x-goog-api-key": settings["api_key"].strip()}
        return http_client.open("gemini", "Gemini", HOST, check_answer=check_answer, headers=key)

    def list_models(self) -> list[Model]:
        found: list[Model] = []
        token = ""
        for _ in range(MOST_PAGES):
            params = [("pageSize", "1000"), *([("pageToken", token)] if token else [])]
            payload = _object(self.http.get("/models", params))
            found += [model for row in objects(payload.get("models")) if (model := _model(row))]
            token = str(payload.get("nextPageToken") or "")
            if not token:
                break
        return found

    def count_tokens(self, system: str, user: str) -> int:
        request = {"model": f"models/{self.model}", **_prompt(system, user)}
        answer = self.http.post(self._path("countTokens"), {"generateContentRequest": request}, tries=4)
        return _number(_object(answer), "totalTokens")

    def generate(self, system: str, user: str, schema: Mapping[str, Any] | None, max_output_tokens: int) -> Generation:
        config: dict[str, Any] = {"maxOutputTokens": max_output_tokens, **_thinking(self.model)}
        body = {**_prompt(system, user), "generationConfig": config, "safetySettings": SAFETY}
        if schema is None:
            return self._generate(body)
        form = {"responseMimeType": "application/json", "responseJsonSchema": dict(schema)}
        try:
            return self._generate({**body, "generationConfig": {**config, **form}})
        except SchemaRefused:
            return self._generate(body)

    def _generate(self, body: dict[str, Any]) -> Generation:
        """Repeated only after an answered 429 or 5xx: a lost answer may have been paid for."""
        answer = self.http.post(
            self._path("generateContent"),
            body,
            tries=4,
            final=(Lost, Nonsense),
            read_seconds=READ_SECONDS,
            deadline_seconds=READ_SECONDS + 30,
        )
        return _generation(_object(answer), self.model)

    def _path(self, method: str) -> str:
        """Raises Gone where the model's name could lead elsewhere: it is a setting that people fill in."""
        if not self.model or not all(ch.isascii() and (ch.isalnum() or ch in ".-_") for ch in self.model):
            raise Gone("ai_model_gone")
        return f"/models/{self.model}:{method}"


def _prompt(system: str, user: str) -> dict[str, Any]:
    prompt: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": user}]}]}
    return prompt | ({"systemInstruction": {"parts": [{"text": system}]}} if system else {})


def _thinking(model: str) -> dict[str, Any]:
    if model.startswith("gemini-3"):
        return {"thinkingConfig": {"thinkingLevel": "LOW"}}
    if model.startswith("gemini-2.5"):
        return {"thinkingConfig": {"thinkingBudget": THINKING_BUDGET}}
    return {}


def _model(row: Mapping[str, Any]) -> Model | None:
    """None for what cannot write text."""
    methods = row.get("supportedGenerationMethods")
    if not isinstance(methods, list) or "generateContent" not in methods:
        return None
    name = words(row.get("name"), LONGEST_NAME).removeprefix("models/")
    if not name or any(word in name for word in NOT_FOR_TEXT):
        return None
    limits = _number(row, "inputTokenLimit"), _number(row, "outputTokenLimit")
    return Model(name, words(row.get("displayName"), LONGEST_NAME) or name, *limits)


def _generation(payload: dict[str, Any], model: str) -> Generation:
    candidates = payload.get("candidates")
    candidate = candidates[0] if isinstance(candidates, list) and candidates else {}
    candidate = candidate if isinstance(candidate, dict) else {}
    blocked = str(_inner(payload, "promptFeedback").get("blockReason") or "")
    finish = blocked or str(candidate.get("finishReason") or "")
    text = _text(candidate)
    usage = _inner(payload, "usageMetadata")
    thought = _number(usage, "thoughtsTokenCount")
    return Generation(
        text=text,
        outcome="blocked" if blocked else _outcome(finish, text),
        tokens_in=_number(usage, "promptTokenCount"),
        tokens_out=_number(usage, "candidatesTokenCount") + thought,
        tokens_thought=thought,
        model=words(payload.get("modelVersion"), LONGEST_NAME) or model,
        finish_reason=finish,
    )


def _outcome(finish: str, text: str) -> Outcome:
    """New reasons to end appear without notice: an answer that ended for one of them is not taken for whole."""
    if finish in BLOCKED:
        return "blocked"
    if finish == "MAX_TOKENS":
        return "truncated"
    if not text.strip():
        return "empty"
    return "ok" if finish == "STOP" else "truncated"


def _text(candidate: dict[str, Any]) -> str:
    """What the model said, without what it thought. Calls of tools are not looked at: we offer none."""
    parts = _inner(candidate, "content").get("parts")
    rows = parts if isinstance(parts, list) else []
    said = [row.get("text") for row in rows if isinstance(row, dict) and row.get("thought") is not True]
    return "".join(text for text in said if isinstance(text, str))


def _object(answer: HttpAnswer) -> dict[str, Any]:
    payload = answer.json()
    if not isinstance(payload, dict):
        raise Nonsense("unexpected_shape", service=answer.service)
    return payload


def _inner(payload: dict[str, Any], name: str) -> dict[str, Any]:
    found = payload.get(name)
    return found if isinstance(found, dict) else {}


def _number(payload: Mapping[str, Any], name: str) -> int:
    found = payload.get(name)
    return count(found) if isinstance(found, int) else 0
