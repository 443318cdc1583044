"""Several packs' answers as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from synkro.analysis.ai.answer import Answer, Finding, Remark


def merge(answers: Sequence[Answer]) -> Answer:
    """Summaries one after another; a finding said twice is kept once with the evidence of both."""
    return Answer(
        summary="\n\n".join(answer.summary for answer in answers if answer.summary),
        findings=_findings(item for answer in answers for item in answer.findings),
        managers=_remarks(item for answer in answers for item in answer.managers),
        unconfirmed=tuple(dict.fromkeys(text for answer in answers for text in answer.unconfirmed)),
        unknown_refs=sum(answer.unknown_refs for answer in answers),
    )


def _findings(items: Iterable[Finding]) -> tuple[Finding, ...]:
    merged: dict[tuple[str, str], Finding] = {}
    for item in items:
        key = (item.kind, item.text.casefold())
        before = merged.get(key)
        merged[key] = Finding(item.kind, before.text, _both(before.evidence, item.evidence)) if before else item
    return tuple(merged.values())


def _remarks(items: Iterable[Remark]) -> tuple[Remark, ...]:
    """Remarks of one manager stand together, in the order the managers first appear."""
    merged: dict[tuple[str, str], Remark] = {}
    order: dict[str, int] = {}
    for item in items:
        order.setdefault(item.name, len(order))
        key = (item.name, item.remark.casefold())
        before = merged.get(key)
        merged[key] = Remark(item.name, before.remark, _both(before.evidence, item.evidence)) if before else item
    return tuple(sorted(merged.values(), key=lambda item: order[item.name]))


def _both(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
