"""The shape the AI is asked to answer in, and a reading of its answer that trusts nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Any, Literal

from synkro.analysis.ai.answer import Answer, Finding, Remark
from synkro.analysis.text.cleaning import clean, one_line
from synkro.analysis.text.links import without_links

FINDING_KINDS = ("risk", "praise", "loss", "idea", "question")
ErrorCode = Literal["empty", "too_large", "not_json", "not_object", "no_content"]

ANSWER_LIMIT = 400_000
SUMMARY_LIMIT, TEXT_LIMIT, NAME_LIMIT = 4_000, 1_000, 120
FINDINGS_LIMIT, MANAGERS_LIMIT, EVIDENCE_LIMIT = 60, 100, 12

_EVIDENCE = {"type": "array", "items": {"type": "string"}, "maxItems": EVIDENCE_LIMIT}
ANSWER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "summary": {"type": "string"},
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "kind": {"type": "string", "enum": list(FINDING_KINDS)},
                    "text": {"type": "string"},
                    "evidence": _EVIDENCE,
                },
                "required": ["kind", "text", "evidence"],
            },
        },
        "managers": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "remark": {"type": "string"},
                    "evidence": _EVIDENCE,
                },
                "required": ["name", "remark", "evidence"],
            },
        },
    },
    "required": ["summary", "findings", "managers"],
}

_FENCE = re.compile(r"```[\w-]*[^\S\n]*\n")
_REF = re.compile(r"d[1-9][0-9]{0,6}m[1-9][0-9]{0,6}")


@dataclass(frozen=True, slots=True)
class AnswerError:
    """Why an answer could not be used."""

    code: ErrorCode


def read_answer(text: str, refs: Container[str]) -> Answer | AnswerError:
    """Reads whatever came back. refs: those of the pack that was sent. Never raises."""
    data = _parse(text)
    if isinstance(data, AnswerError):
        return data
    answer = _Reader(refs).answer(data)
    is_empty = not (answer.summary or answer.findings or answer.managers or answer.unconfirmed)
    return AnswerError("no_content") if is_empty else answer


class _Reader:
    """Reads claims against the refs that were sent and counts what was made up."""

    def __init__(self, refs: Container[str]) -> None:
        self._refs = refs
        self._unknown = 0

    def answer(self, data: dict[str, Any]) -> Answer:
        findings = [self._finding(item) for item in _objects(data.get("findings"), FINDINGS_LIMIT)]
        managers = [self._remark(item) for item in _objects(data.get("managers"), MANAGERS_LIMIT)]
        return Answer(
            summary=_text(data.get("summary"), SUMMARY_LIMIT),
            findings=tuple(item for item in findings if item.text and item.evidence),
            managers=tuple(item for item in managers if item.remark and item.evidence),
            unconfirmed=(
                *(item.text for item in findings if item.text and not item.evidence),
                *(f"{item.name}: {item.remark}" for item in managers if item.remark and not item.evidence),
            ),
            unknown_refs=self._unknown,
        )

    def _finding(self, item: dict[str, Any]) -> Finding:
        kind = item.get("kind")
        known = kind if isinstance(kind, str) and kind in FINDING_KINDS else "idea"
        return Finding(known, _text(item.get("text"), TEXT_LIMIT), self._evidence(item.get("evidence")))

    def _remark(self, item: dict[str, Any]) -> Remark:
        name = one_line(_text(item.get("name"), NAME_LIMIT), NAME_LIMIT)
        return Remark(name or "?", _text(item.get("remark"), TEXT_LIMIT), self._evidence(item.get("evidence")))

    def _evidence(self, value: Any) -> tuple[str, ...]:
        listed = value if isinstance(value, list) else [value] if isinstance(value, str) else []
        valid: dict[str, None] = {}
        for entry in listed:
            cited = _REF.findall(entry.lower()) if isinstance(entry, str) else []
            known = [ref for ref in cited if ref in self._refs]
            self._unknown += len(cited) - len(known) if cited else 1
            valid.update(dict.fromkeys(known))
        return tuple(valid)[:EVIDENCE_LIMIT]


def _parse(text: str) -> dict[str, Any] | AnswerError:
    if not text.strip():
        return AnswerError("empty")
    if len(text) > ANSWER_LIMIT:
        return AnswerError("too_large")
    body = _unfenced(text)
    try:
        data = json.loads(body[_start(body) : body.rfind("}") + 1] or body)
    except (ValueError, RecursionError):
        return AnswerError("not_json")
    return data if isinstance(data, dict) else AnswerError("not_object")


def _unfenced(text: str) -> str:
    """Without the fence around it. Found from both ends: models lose themselves in line breaks without an end."""
    whole = text.strip()
    opening = _FENCE.match(whole)
    return whole[opening.end() : -3] if opening and whole.endswith("```") else text


def _start(body: str) -> int:
    """Where the object begins; a list or a bare value is left whole so that it is named for what it is."""
    return 0 if body.lstrip()[:1] in {"[", '"'} else max(body.find("{"), 0)


def _objects(value: Any, limit: int) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)][:limit] if isinstance(value, list) else []


def _text(value: Any, limit: int) -> str:
    return clean(without_links(clean(value, limit)), limit) if isinstance(value, str) else ""
