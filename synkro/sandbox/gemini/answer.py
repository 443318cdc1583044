"""The stand-in's 200s of generateContent: a candidate with its text, or one of the ways it comes without."""

from __future__ import annotations

import json
from typing import Any

from synkro.sandbox.faults import Faults
from synkro.sandbox.gemini.reading import read
from synkro.sandbox.gemini.writer import sentence, with_links, with_refs, write

_RATING = {"category": "HARM_CATEGORY_HARASSMENT", "probability": "HIGH", "blocked": True}
_BARE: dict[str, dict[str, Any]] = {
    "SAFETY": {"finishReason": "SAFETY", "safetyRatings": [_RATING]},
    "RECITATION": {"finishReason": "RECITATION"},
    "OTHER": {"finishReason": "OTHER"},
    "NEW_REASON": {"finishReason": "A_REASON_OF_TOMORROW"},
    "MAX_TOKENS_no_parts": {"finishReason": "MAX_TOKENS", "content": {"role": "model"}},
    "empty_stop": {"finishReason": "STOP", "content": {"role": "model"}},
}
"""Candidates without text, by the name of the fault."""

_THOUGHTS = {"MINIMAL": 0, "LOW": 20, "MEDIUM": 80, "HIGH": 200}


def tokens(text: str) -> int:
    return -(-len(text) // 3)


def prompt_of(body: dict[str, Any], field: str) -> str:
    """Text of systemInstruction or of contents."""
    contents = body.get(field, [])
    parts = [part for one in (contents if isinstance(contents, list) else [contents]) for part in one.get("parts", [])]
    return "\n".join(part.get("text", "") for part in parts)


def answer(body: dict[str, Any], model: str, faults: Faults) -> dict[str, Any]:
    """One GenerateContentResponse. Scripted outcomes and twists come from the faults."""
    prompt = prompt_of(body, "contents")
    spent = tokens(prompt) + tokens(prompt_of(body, "systemInstruction"))
    if blocked := faults.take("prompt_blocked"):
        feedback = {"blockReason": blocked.value or "PROHIBITED_CONTENT"}
        return {"promptFeedback": feedback, **_meta(model, spent, 0, 0)}
    for name, candidate in _BARE.items():
        if faults.take(name):
            return {"candidates": [{**candidate, "index": 0}], **_meta(model, spent, 0, 100)}
    config = body.get("generationConfig", {})
    thoughts = _THOUGHTS[config.get("thinkingConfig", {}).get("thinkingLevel", "MEDIUM")]
    text = text_for(prompt, config.get("responseJsonSchema") or config.get("responseSchema"), faults)
    room = 3 * (config.get("maxOutputTokens", 1_000_000) - thoughts)
    if faults.take("MAX_TOKENS"):
        room = len(text) // 2
    kept = text[: max(0, room)]
    parts = _parts(kept, faults)
    reason = "STOP" if kept == text else "MAX_TOKENS"
    content = {"role": "model", **({"parts": parts} if parts else {})}
    candidate = {"content": content, "finishReason": reason, "index": 0}
    return {"candidates": [candidate], **_meta(model, spent, tokens(kept), thoughts)}


def _parts(text: str, faults: Faults) -> list[dict[str, Any]]:
    if not text:
        return []
    if faults.take("two_parts"):
        middle = len(text) // 2
        return [{"text": "мысли", "thought": True}, {"text": text[:middle]}, {"text": text[middle:]}]
    return [{"text": text, "thoughtSignature": "cHJhY3RpY2U="}]


def text_for(prompt: str, schema: dict[str, Any] | None, faults: Faults) -> str:
    """What the model says: JSON for a schema, else a sentence. Twists come from the faults."""
    reading = read(prompt)
    if faults.take("not_json"):
        return f"Вот отчёт по диалогам: {sentence(reading.all, reading)}"
    if faults.take("bad_schema"):
        return json.dumps({"verdict": 5, "findings": "нет"}, ensure_ascii=False)
    if not schema:
        return sentence(reading.all, reading) if reading.all.said else "OK"
    return json.dumps(_twisted(write(schema, reading), faults), ensure_ascii=False)


def _twisted(value: Any, faults: Faults) -> Any:
    if faults.take("invent_refs"):
        value = with_refs(value, lambda refs: [*refs, "d999m1"])
    if faults.take("no_evidence"):
        value = with_refs(value, lambda _: [])
    if foreign := faults.take("foreign_refs"):
        value = with_refs(value, lambda _: foreign.value or ["d998m1", "d998m2"])
    if faults.take("inject_link"):
        value = with_links(value)
    return value


def _meta(model: str, prompt: int, written: int, thoughts: int) -> dict[str, Any]:
    usage = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": written,
        "thoughtsTokenCount": thoughts,
        "cachedContentTokenCount": 0,
        "totalTokenCount": prompt + written + thoughts,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
    }
    return {"usageMetadata": usage, "modelVersion": model, "responseId": "practice-response"}
