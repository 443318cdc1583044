"""Answers of several packs as one."""

from __future__ import annotations

from synkro.analysis.ai.answer import Answer, Finding, Remark
from synkro.analysis.ai.merge import merge


def test_findings_said_twice_share_their_evidence() -> None:
    first = Answer("One", (Finding("risk", "Slow", ("d1m1",)), Finding("idea", "slow", ("d1m2",))), unknown_refs=1)
    second = Answer("Two", (Finding("risk", "slow", ("d2m1", "d1m1")),), unknown_refs=2)
    merged = merge([first, Answer(""), second])
    assert merged.summary == "One\n\nTwo"
    assert merged.findings == (Finding("risk", "Slow", ("d1m1", "d2m1")), Finding("idea", "slow", ("d1m2",)))
    assert merged.unknown_refs == 3


def test_remarks_stand_together_by_manager() -> None:
    first = Answer("", managers=(Remark("A", "quick", ("d1m1",)), Remark("B", "rude", ("d1m2",))))
    second = Answer("", managers=(Remark("A", "polite", ("d2m1",)), Remark("B", "Rude", ("d2m2",))))
    names = [(item.name, item.remark, item.evidence) for item in merge([first, second]).managers]
    assert names == [("A", "quick", ("d1m1",)), ("A", "polite", ("d2m1",)), ("B", "rude", ("d1m2", "d2m2"))]


def test_unconfirmed_claims_are_kept_once() -> None:
    assert merge([Answer("", unconfirmed=("x", "y")), Answer("", unconfirmed=("y",))]).unconfirmed == ("x", "y")


def test_nothing_merges_to_nothing() -> None:
    assert merge([]) == Answer("")
