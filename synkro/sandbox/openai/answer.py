"""The 200s of the stand-in with OpenAI's interface: one completion, with its text or in a way that comes without."""

from __future__ import annotations

import json
import re
from typing import Any

from synkro.sandbox.faults import Faults
from synkro.sandbox.gemini.answer import text_for, tokens

_BARE: dict[str, dict[str, Any]] = {
    "content_filter": {"finish_reason": "content_filter", "message": {"role": "assistant", "content": ""}},
    "refusal": {"finish_reason": "stop", "message": {"role": "assistant", "content": None, "refusal": "I can't."}},
    "length_no_text": {"finish_reason": "length", "message": {"role": "assistant", "content": None}},
    "empty_stop": {"finish_reason": "stop", "message": {"role": "assistant", "content": ""}},
    "NEW_REASON": {"finish_reason": "a_reason_of_tomorrow", "message": {"role": "assistant", "content": ""}},
}
"""Choices without text, by the name of the fault."""
_THOUGHTS = 20
_TOLD = re.compile(r"JSON Schema:\s*(\{.*\})", re.DOTALL)
"""A shape that the model is told in words."""


def prompt_of(body: dict[str, Any], role: str) -> str:
    return "\n".join(str(one.get("content", "")) for one in body["messages"] if one.get("role") == role)


def spent(body: dict[str, Any]) -> int:
    return tokens(prompt_of(body, "system")) + tokens(prompt_of(body, "user"))


def answer(body: dict[str, Any], faults: Faults) -> dict[str, Any]:
    """One chat completion. Scripted outcomes and twists come from the faults."""
    if faults.take("empty_choices"):
        return _completion(body, [], 0)
    if faults.take("error_inside"):
        return {"error": {"code": 502, "message": "Provider returned error"}}
    for name, choice in _BARE.items():
        if faults.take(name):
            return _completion(body, [{"index": 0, **choice}], _THOUGHTS)
    text = text_for(prompt_of(body, "user"), _schema(body), faults)
    limit = body.get("max_completion_tokens", body.get("max_tokens", 1_000_000))
    room = len(text) // 2 if faults.take("length") else 3 * max(0, limit - _THOUGHTS)
    kept = text[:room]
    said = {"role": "assistant", "content": _dressed(kept, faults)}
    reason = "stop" if kept == text else "length"
    made = _completion(body, [{"index": 0, "message": said, "finish_reason": reason}], tokens(kept) + _THOUGHTS)
    if faults.take("no_usage"):
        del made["usage"]
    return made


def _schema(body: dict[str, Any]) -> dict[str, Any] | None:
    form = body.get("response_format") or {}
    if form.get("type") == "json_schema":
        return dict(form["json_schema"]["schema"])
    told = _TOLD.search(prompt_of(body, "system"))
    return dict(json.loads(told[1])) if told else None


def _dressed(text: str, faults: Faults) -> Any:
    """As some servers give it: in parts, or with the model's thoughts before it."""
    if faults.take("parts"):
        middle = len(text) // 2
        return [
            {"type": "thinking", "thinking": "мысли"},
            *({"type": "text", "text": part} for part in (text[:middle], text[middle:])),
        ]
    return f"<think>\nмысли\n</think>\n\n{text}" if faults.take("think_aloud") else text


def _completion(body: dict[str, Any], choices: list[dict[str, Any]], written: int) -> dict[str, Any]:
    read = spent(body)
    return {
        "id": "chatcmpl-practice",
        "object": "chat.completion",
        "created": 1_795_000_000,
        "model": body["model"],
        "choices": choices,
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
            "completion_tokens_details": {"reasoning_tokens": min(written, _THOUGHTS)},
        },
    }
