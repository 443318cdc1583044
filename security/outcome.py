"""What a scanner says, in one shape for all of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

LEVELS = ("info", "low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Finding:
    """rule: the scanner's own name for the kind of flaw. where: file and line, or address and parameter."""

    level: str
    rule: str
    where: str
    says: str = ""

    @property
    def counts(self) -> bool:
        return LEVELS.index(self.level) > LEVELS.index("low")


@dataclass
class Outcome:
    """looked_at: in words, with numbers. broken: why the scanner's silence says nothing, or ""."""

    tool: str
    looked_at: str = ""
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0
    broken: str = ""

    def by_level(self) -> str:
        counts = Counter(finding.level for finding in self.findings)
        return "  ".join(f"{level} {counts[level]}" for level in reversed(LEVELS))
