"""An answer of the AI once it has been read: claims with the messages they rest on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """kind: one of claims.FINDING_KINDS. evidence: refs that were really sent, without doubles."""

    kind: str
    text: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """About one manager, by the name the AI was given."""

    name: str
    remark: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """unconfirmed: claims without a single valid ref, to be shown apart, never as facts."""

    summary: str
    findings: tuple[Finding, ...] = ()
    managers: tuple[Remark, ...] = ()
    unconfirmed: tuple[str, ...] = ()
    unknown_refs: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Answer:
        return cls(
            summary=data["summary"],
            findings=tuple(Finding(item["kind"], item["text"], tuple(item["evidence"])) for item in data["findings"]),
            managers=tuple(Remark(item["name"], item["remark"], tuple(item["evidence"])) for item in data["managers"]),
            unconfirmed=tuple(data["unconfirmed"]),
            unknown_refs=data["unknown_refs"],
        )
