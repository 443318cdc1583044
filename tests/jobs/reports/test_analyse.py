"""What becomes of paid answers: kept when trouble comes late, paid for once by a try that goes on, asked for anew when
a person has the step done anew."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from flask_babel import force_locale

from synkro.analysis.figures.definitions import CUT
from synkro.integrations.http import client as http
from synkro.jobs.reports.handover import PACKS
from synkro.jobs.reports.steps import build_prompt
from synkro.models import JobRun
from synkro.models.plan import StepKey
from synkro.models.states import ReportStatus, RunStatus
from synkro.services.reports import artifacts, runs
from synkro.tenancy import db, tenant_scope
from tests.support.ai_questions import analysis_of, calls, dialogs, questions, report_of
from tests.support.having import assert_entries, assert_has
from tests.support.practice import Practice

SMALL_PACK = 900
ASK = ":generateContent"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between the requests of a call."""
    monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: None))


@pytest.fixture
def packs(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> int:
    """The dialogs lie in several packs; how many those are."""
    monkeypatch.setattr(build_prompt, "PACK_TOKENS", SMALL_PACK)
    practice.run()
    made = len(questions(practice))
    assert made > 3
    return made


def again(practice: Practice, run: JobRun, key: StepKey | None = None) -> JobRun:
    with tenant_scope(practice.tenant.id):
        runs.resume(run, key)
    practice.drain()
    return practice.state(run.id)[0]


def outcomes(practice: Practice, run: JobRun) -> dict[str, int]:
    found: dict[str, int] = report_of(practice, run).figures["chats_by_outcome"]
    return found


def kept_answers(practice: Practice, run: JobRun) -> list[Any]:
    """Those in the client's database, in the order of the calls."""
    rows = [row for row in practice.rows("synkro_analyses") if row["run_id"] == str(run.id)]
    return [row["answer"] for row in sorted(rows, key=lambda row: row["seq"])]


class TestAStepThatBeginsAnew:
    @pytest.mark.parametrize("key", [StepKey.FETCH_AMOCRM, StepKey.ANALYSE])
    def test_asks_again_what_was_answered_badly(self, practice: Practice, key: StepKey) -> None:
        practice.control("gemini", fault="not_json")
        run = practice.run()
        assert_has(analysis_of(practice, run), colour="yellow", code="ai_bad_answer")
        again(practice, run, key)
        assert_has(analysis_of(practice, run), colour="green", code=None)
        assert report_of(practice, run).status == ReportStatus.READY
        assert len(questions(practice)) == 2
        assert len(calls(practice)) == 2

    def test_leaves_each_call_its_own_answer(self, practice: Practice) -> None:
        practice.control("gemini", fault="not_json")
        run = practice.run()
        again(practice, run, StepKey.ANALYSE)
        first, second = kept_answers(practice, run)
        assert not first["text"].startswith("{")
        assert second["text"].startswith("{")


def test_an_answer_that_was_cut_off_is_not_taken_for_the_next_one(practice: Practice) -> None:
    practice.control("gemini", fault="MAX_TOKENS")
    first, second = kept_answers(practice, practice.run())
    assert first is None
    assert second["text"].startswith("{")


def test_a_later_step_that_is_done_anew_pays_nothing(practice: Practice) -> None:
    run = practice.run()
    again(practice, run, StepKey.PERSIST_REPORT)
    assert len(questions(practice)) == 1
    assert len(calls(practice)) == 1


def test_a_try_that_goes_on_pays_for_each_question_once(practice: Practice, packs: int) -> None:
    practice.control("gemini", fault="not_json", path=ASK)
    practice.control("gemini", fault="503", path=ASK, after=2, times=20)
    run_id = practice.start()
    practice.drain()
    paid = len(calls(practice)) - packs
    assert 0 < paid < packs
    practice.clear("gemini")
    practice.hurry(run_id)
    practice.drain()
    run = practice.state(run_id)[0]
    assert run.status == RunStatus.SUCCEEDED
    assert_has(analysis_of(practice, run), colour="yellow", code="ai_bad_answer")
    assert len(calls(practice)) == 2 * packs


class TestAKeyThatIsRefusedInTheMiddle:
    ANSWERED = 3

    @pytest.fixture
    def run(self, practice: Practice, packs: int) -> JobRun:
        assert packs > self.ANSWERED
        practice.control("gemini", fault="key_invalid", path=ASK, after=self.ANSWERED, times=-1)
        return practice.run()

    def test_leaves_what_was_answered(self, practice: Practice, run: JobRun) -> None:
        assert run.status == RunStatus.SUCCEEDED
        assert_has(analysis_of(practice, run), colour="yellow", code="ai_key_invalid")
        assert report_of(practice, run).status == ReportStatus.READY
        (row,) = [row for row in practice.rows("synkro_reports") if row["run_id"] == str(run.id)]
        assert row["findings"]

    def test_counts_as_not_sent_only_what_was_not(self, practice: Practice, run: JobRun, packs: int) -> None:
        asked = [dialogs(body) for body in questions(practice)]
        whole, tried = asked[:packs], asked[packs:]
        seen = sum(tried[: self.ANSWERED])
        found = outcomes(practice, run)
        assert_entries(found, analysed=seen, not_sent=sum(whole) - seen)

    def test_is_told_in_the_report(self, practice: Practice, run: JobRun) -> None:
        (row,) = [row for row in practice.rows("synkro_reports") if row["run_id"] == str(run.id)]
        assert "API" in row["body_markdown"].split("## ")[0]


@pytest.mark.usefixtures("packs")
def test_dialogs_of_which_only_the_newest_part_was_sent_are_told(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_prompt, "PACK_TOKENS", 200)
    run = practice.run()
    found = outcomes(practice, run)
    assert found["analysed_in_part"] > 0
    (row,) = [row for row in practice.rows("synkro_reports") if row["run_id"] == str(run.id)]
    assert row["figures"]["coverage"][-1]["count"] > 0
    with force_locale(run.language):
        assert str(CUT) % {"count": found["analysed_in_part"]} in row["body_markdown"]


def test_packs_of_the_version_before_are_still_asked_about(practice: Practice) -> None:
    run = practice.run()
    with tenant_scope(practice.tenant.id):
        for page in list(artifacts.pages(run.id, PACKS)):
            (pack,) = page.rows
            artifacts.put(run.id, PACKS, page.seq, [{"refs": pack["refs"], "text": pack["text"]}], page.meta)
        db.session.commit()
    assert again(practice, run, StepKey.ANALYSE).status == RunStatus.SUCCEEDED
    assert_has(analysis_of(practice, run), colour="green", code=None)


def test_dialogs_of_a_bad_answer_are_not_said_to_be_unsent(practice: Practice) -> None:
    practice.tenant.language = "en"
    practice.control("gemini", fault="not_json")
    run = practice.run()
    (row,) = [row for row in practice.rows("synkro_reports") if row["run_id"] == str(run.id)]
    assert "not analysed by the AI: " in row["body_markdown"]
