"""What a server with OpenAI's interface answers: its list of models, and one completion."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from synkro.integrations.ai.openai.errors import failure_inside
from synkro.integrations.ai.provider import NOT_FOR_TEXT, Generation, Model, Outcome
from synkro.integrations.errors import Nonsense
from synkro.integrations.http.calls import HttpAnswer
from synkro.integrations.reading import count, inner, number, objects, words

MOST_MODELS = 2_000
LONGEST_NAME = 200
_OTHER_USES = (*NOT_FOR_TEXT, "whisper", "dall-e", "moderation", "realtime", "transcribe", "rerank", "sora")
_READS = ("context_length", "context_window", "max_model_len", "max_context_length")
_WRITES = ("max_completion_tokens", "max_output_tokens")
"""Names that servers give to the limits of a model; OpenAI itself tells none."""
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>\s*", re.DOTALL)


def models(answer: HttpAnswer) -> list[Model]:
    """In the order of their names. Some servers send the bare list."""
    payload = answer.json()
    rows = payload.get("data") if isinstance(payload, dict) else payload
    if not isinstance(rows, list):
        raise Nonsense("unexpected_shape", service=answer.service)
    found = {model.id: model for row in objects(rows[:MOST_MODELS]) if (model := _model(row))}
    return [found[name] for name in sorted(found)]


def _model(row: Mapping[str, Any]) -> Model | None:
    """None for what is there for something else than text."""
    name = words(row.get("id"), LONGEST_NAME)
    if not name or any(use in name.lower() for use in _OTHER_USES):
        return None
    best = inner(row, "top_provider")
    title = words(row.get("name"), LONGEST_NAME) or name
    return Model(name, title, _first(row, _READS), _first(row, _WRITES) or _first(best, _WRITES))


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> int:
    return next((found for name in names if (found := number(row.get(name)) or 0) > 0), 0)


def generation(answer: HttpAnswer, model: str) -> Generation:
    """Raises ApiError kinds for an answer that is no object or reports an error of the server behind it."""
    payload = answer.json()
    if not isinstance(payload, dict):
        raise Nonsense("unexpected_shape", service=answer.service)
    choices = objects(payload.get("choices"))
    if not choices and (failure := failure_inside(answer)):
        raise failure
    choice = choices[0] if choices else {}
    message, finish = inner(choice, "message"), words(choice.get("finish_reason"), LONGEST_NAME)
    text = _text(message.get("content"))
    usage = inner(payload, "usage")
    tokens_in = _count(usage, "prompt_tokens")
    return Generation(
        text=text,
        outcome="blocked" if message.get("refusal") else _outcome(finish, text),
        tokens_in=tokens_in,
        # where thinking is billed but not named as part of the answer, only the total tells (Google's own server)
        tokens_out=max(_count(usage, "completion_tokens"), _count(usage, "total_tokens") - tokens_in),
        tokens_thought=_count(inner(usage, "completion_tokens_details"), "reasoning_tokens"),
        model=words(payload.get("model"), LONGEST_NAME) or model,
        finish_reason=finish,
    )


def _outcome(finish: str, text: str) -> Outcome:
    """An answer that ended for a reason we do not know is not taken for whole."""
    if finish == "content_filter":
        return "blocked"
    if finish == "length":
        return "truncated"
    if not text.strip():
        return "empty"
    return "ok" if finish == "stop" else "truncated"


def _text(content: Any) -> str:
    """What the model said: a text or, with some servers, parts. Thoughts that open models speak aloud are left out."""
    parts = [row.get("text") for row in objects(content) if row.get("type") == "text"]
    said = content if isinstance(content, str) else "".join(part for part in parts if isinstance(part, str))
    return _THOUGHT.sub("", said)


def _count(usage: Mapping[str, Any], name: str) -> int:
    return count(usage.get(name))
