"""What the model is asked within its limits, and what each answer cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from synkro.jobs.reports.ai_questions import LONGEST_OUTPUT_TOKENS, OUTPUT_TOKENS
from synkro.models.states import ReportStatus, RunStatus
from synkro.sandbox.gemini import answer as gemini_answer
from synkro.sandbox.gemini import app as gemini
from synkro.services.connections import integrations
from synkro.services.reports import reports
from synkro.tenancy import tenant_scope
from tests.support.ai_questions import analysis_of, calls, dialogs, questions, report_of
from tests.support.having import assert_has
from tests.support.practice import Practice

SMALL = "gemini-3.5-flash-small"


def offer(practice: Practice, monkeypatch: pytest.MonkeyPatch, *, reads: int = 1_048_576, writes: int = 65_536) -> None:
    """The vendor has a model with these limits, and the company has chosen it."""
    methods = ["generateContent", "countTokens"]
    monkeypatch.setitem(gemini.MODELS, SMALL, gemini._model(SMALL, "Small", writes, methods, reads))
    with tenant_scope(practice.tenant.id):
        integrations.save("ai", {"model": SMALL})


def counted(practice: Practice) -> int:
    return len(practice.look("gemini", "/__bodies")) - len(questions(practice))


def rooms(practice: Practice) -> list[int]:
    return [body["generationConfig"]["maxOutputTokens"] for body in questions(practice)]


def tokens(body: dict[str, Any]) -> int:
    return int(gemini._count(body)["totalTokens"])


def test_a_model_with_room_is_asked_without_counting(practice: Practice) -> None:
    practice.run()
    assert set(rooms(practice)) == {OUTPUT_TOKENS}
    assert counted(practice) == 0


def test_limits_are_asked_for_once_a_run(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    practice.control("gemini", fault="prompt_blocked")
    practice.run()
    assert len(questions(practice)) == 3
    assert sum(entry["path"].endswith("/models") for entry in practice.look("gemini", "/__requests")) == 1


@pytest.mark.parametrize(("writes", "wanted"), [(4_000, [4_000]), (10_000, [OUTPUT_TOKENS, 10_000])])
def test_no_more_is_asked_for_than_the_model_can_write(
    practice: Practice, monkeypatch: pytest.MonkeyPatch, writes: int, wanted: list[int]
) -> None:
    offer(practice, monkeypatch, writes=writes)
    practice.control("gemini", fault="MAX_TOKENS")
    practice.run()
    assert rooms(practice) == wanted


def test_a_small_model_makes_a_whole_report(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(practice, monkeypatch, writes=4_000)
    run = practice.run()
    assert_has(analysis_of(practice, run), colour="green", code=None)
    assert report_of(practice, run).status == ReportStatus.READY


@pytest.mark.parametrize(("fault", "times"), [("500", 3), ("drop", 3), ("html", 1)])
def test_without_the_list_of_models_the_usual_room_is_taken(practice: Practice, fault: str, times: int) -> None:
    practice.control("gemini", fault=fault, path="/models", times=times)
    practice.control("gemini", fault="MAX_TOKENS")
    run = practice.run()
    assert rooms(practice) == [OUTPUT_TOKENS, LONGEST_OUTPUT_TOKENS]
    assert_has(analysis_of(practice, run), colour="green", code=None)


def test_a_pack_that_is_too_large_is_halved(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    practice.run()
    (whole,) = questions(practice)
    offer(practice, monkeypatch, reads=tokens(whole) - 1)
    run = practice.run()
    assert counted(practice) >= 1
    halves = questions(practice)[1:]
    assert len(halves) == 2
    assert sum(map(dialogs, halves)) == dialogs(whole)
    assert_has(analysis_of(practice, run), colour="green", code=None)
    assert report_of(practice, run).status == ReportStatus.READY


def test_a_pack_that_only_seemed_too_large_is_asked_whole(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    practice.run()
    (whole,) = questions(practice)
    offer(practice, monkeypatch, reads=tokens(whole))
    practice.run()
    assert counted(practice) == 1
    assert len(questions(practice)) == 2


def test_a_pack_that_the_vendor_finds_too_large_is_halved(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its limit is not known, since neither the list nor the count came."""
    practice.run()
    (whole,) = questions(practice)
    offer(practice, monkeypatch, reads=tokens(whole) - 1)
    practice.control("gemini", fault="500", path="/models", times=3)
    run = practice.run()
    assert counted(practice) == 0
    assert [dialogs(body) for body in questions(practice)][1] == dialogs(whole)
    assert len(questions(practice)) == 4
    assert_has(analysis_of(practice, run), colour="green", code=None)


def test_dialogs_that_no_model_of_this_size_can_read_are_told(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(practice, monkeypatch, reads=50)
    run = practice.run()
    assert run.status == RunStatus.SUCCEEDED
    assert_has(analysis_of(practice, run), colour="yellow", code="ai_too_long")
    assert questions(practice) == []
    report = report_of(practice, run)
    assert report.status == ReportStatus.FIGURES_ONLY
    assert report.figures["chats_by_outcome"]["too_long"] > 0


def answered_by(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """The vendor names the version that has answered."""
    real = gemini_answer._meta
    monkeypatch.setattr(gemini_answer, "_meta", lambda _model, *counts: real(version, *counts))


def test_a_version_of_the_chosen_model_costs_what_the_model_does(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered_by(monkeypatch, "gemini-3.8-flash-001")
    run = practice.run()
    (call,) = calls(practice)
    assert call.model == "gemini-3.8-flash-001"
    assert call.cost is not None
    assert call.cost > Decimal(0)
    with tenant_scope(practice.tenant.id):
        assert reports.ai_usage(run.id)["cost"] == float(call.cost)


def test_a_model_without_a_price_costs_nobody_knows_what(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(practice, monkeypatch)
    practice.run()
    assert [call.cost for call in calls(practice)] == [None]
