"""What would be sent to the model, what it says to it, and what every way of going wrong is called."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from synkro.analysis.matching.phones import mask
from synkro.integrations.ai.client import Ai
from synkro.jobs.connections.acts.ai import ANSWER_TOKENS
from synkro.models import AiCall
from synkro.models.states import Topic
from synkro.sandbox.gemini import app as gemini
from synkro.services.connections import integrations, prompts
from synkro.services.connections.trials import says
from synkro.tenancy import db, tenant_scope
from tests.support.ai_trials import PHONE, SPOKEN, TYPED, dialog, loaded, tried
from tests.support.faults import Fault
from tests.support.having import assert_entries, assert_has
from tests.support.practice import Practice


def _unasked(what: str, fault: str, colour: str, code: str) -> Fault:
    """It is met before anything is paid for."""
    return Fault(what, {"fault": fault, "times": 20, "path": "/models/gemini"}, colour, code, "analysis")


def _answered(what: str, fault: str, colour: str, code: str) -> Fault:
    return Fault(what, {"fault": fault, "times": 20}, colour, code, "analysis")


FAULTS: list[Fault] = [
    _unasked("the key was revoked", "key_invalid", "red", "ai_key_invalid"),
    _unasked("the key became public", "key_leaked", "red", "ai_key_leaked"),
    _unasked("the vendor does not serve this country", "geo", "red", "ai_location"),
    _unasked("the day's quota is used up", "429_day", "yellow", "ai_day_quota"),
    _unasked("the vendor is overloaded", "unavailable", "red", "server_error"),
    _answered("the filter refuses the dialogs", "prompt_blocked", "yellow", "ai_blocked"),
    _answered("the filter stops the answer", "SAFETY", "yellow", "ai_blocked"),
    _answered("the answer is cut off twice", "MAX_TOKENS", "yellow", "ai_cut_off"),
    _answered("the answer is not JSON", "not_json", "yellow", "ai_bad_answer"),
    _answered("the answer has no text", "empty_stop", "yellow", "ai_bad_answer"),
    _answered("the answer names messages that are not there", "invent_refs", "yellow", "refs_dropped"),
]


def calls(practice: Practice) -> list[AiCall]:
    with tenant_scope(practice.tenant.id):
        return list(db.session.execute(select(AiCall).order_by(AiCall.created_at)).scalars())


def bodies(practice: Practice) -> list[dict[str, Any]]:
    return list(practice.look("gemini", "/__bodies"))


# ---- the package


@pytest.mark.parametrize("act", ["package", "analysis"])
def test_without_dialogs_people_are_told_where_to_load_them(practice: Practice, act: str) -> None:
    trial, found = tried(practice, act)
    assert_has(trial, colour="red", code="ai_dialogs_first")
    assert found == {}
    assert bodies(practice) == []
    assert "Radist" in says(trial)


def test_dialogs_without_a_message_are_not_sent(practice: Practice) -> None:
    trial, _ = tried(loaded(practice, dialog(spoken=())), "analysis")
    assert_has(trial, colour="yellow", code="ai_dialogs_empty")
    assert bodies(practice) == []


def test_the_package_is_masked(practice: Practice) -> None:
    trial, found = tried(loaded(practice), "package")
    assert_has(trial, colour="green", code="ai_package_ok")
    assert "[PHONE_1]" in found["user"]
    for secret in (PHONE, TYPED, "Айгерим", "Бекова", "Aigerim"):
        assert secret not in found["user"]


def test_the_package_is_what_the_analysis_sends(practice: Practice) -> None:
    _, shown = tried(loaded(practice), "package")
    tried(practice, "analysis")
    sent = bodies(practice)[-1]
    assert sent["systemInstruction"]["parts"][0]["text"] == shown["system"]
    assert without_time(sent["contents"][0]["parts"][0]["text"]) == without_time(shown["user"])


def without_time(user: str) -> list[str]:
    """The figures that grow with each second."""
    return [line for line in user.splitlines() if "unanswered_older_than" not in line]


def test_figures_are_those_of_the_dialogs_and_not_of_deals(practice: Practice) -> None:
    _, found = tried(loaded(practice, dialog(1), dialog(2)), "package")
    figures = found["user"].partition("=== DIALOGS")[0].splitlines()
    assert {"messages_in: 4", "messages_out: 2", "chats_matched: 2", "unanswered: 2"} <= set(figures)
    assert not [line for line in figures if line.startswith(("leads", "price", "coverage"))]


def test_a_chat_of_two_deals_is_sent_once(practice: Practice) -> None:
    _, found = tried(loaded(practice, dialog(1), dialog(1)), "package")
    assert found["dialogs"] == 1


def test_the_vendor_counts_tokens_and_the_cost_follows_from_them(practice: Practice) -> None:
    _, found = tried(loaded(practice), "package")
    (counted,) = bodies(practice)
    assert "generateContentRequest" in counted
    assert_entries(found, estimated=False, answer_tokens=ANSWER_TOKENS)
    expected = (found["tokens"] * 0.75 + ANSWER_TOKENS * 3.75) / 1_000_000
    assert float(found["cost"]) == pytest.approx(expected, abs=1e-6)
    assert float(found["month"]) == pytest.approx(30 * expected, abs=1e-5)


def test_where_nobody_counts_tokens_are_guessed_and_it_is_said(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ai, "count_tokens", lambda *_: None)
    _, found = tried(loaded(practice), "package")
    assert found["estimated"]
    assert found["tokens"] > 500


def test_a_model_without_a_price_has_no_cost(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "gemini-new"
    monkeypatch.setitem(gemini.MODELS, name, gemini._model(name, "New", 8_192, ["generateContent", "countTokens"]))
    with tenant_scope(practice.tenant.id):
        integrations.save("ai", {"model": name})
    _, found = tried(loaded(practice), "package")
    assert_entries(found, cost=None, month=None, model=name)


def test_a_dialog_that_is_too_long_is_sent_with_its_latest_part(practice: Practice) -> None:
    endless = [("in", f"{n} " + "слово " * 300) for n in range(200)]
    _, found = tried(loaded(practice, dialog(1, spoken=endless), dialog(2)), "package")
    assert found["dialogs"] == 2
    assert "earlier messages are left out" in found["user"]
    assert "[d1m200]" in found["user"]


# ---- the analysis


def test_an_analysis_is_kept_whole_with_its_cost_and_its_messages(practice: Practice) -> None:
    with tenant_scope(practice.tenant.id):
        prompts.save(Topic.TASK, "Ищи возражения", None)
    trial, found = tried(loaded(practice), "analysis")
    assert_has(trial, colour="green", code="ai_analysis_ok")
    (call,) = calls(practice)
    assert_has(call, trial_id=trial.id, run_id=None, outcome="ok")
    assert_entries(found, tokens_in=call.tokens_in, tokens_out=call.tokens_out)
    assert_entries(found, cost=f"{call.cost:.6f}", model="gemini-3.8-flash")
    assert found["versions"] == {"task": 1, "knowledge": 0}
    assert found["system"].startswith("Ищи возражения\n")
    assert found["summary"]
    quotes = [quote for finding in found["findings"] for quote in finding["evidence"]]
    assert {quote["text"] for quote in quotes} <= {text.replace(TYPED, mask(PHONE)) for _, text in SPOKEN}
    assert quotes


def test_numbers_stay_masked_in_everything_that_is_shown(practice: Practice) -> None:
    _, found = tried(loaded(practice), "analysis")
    shown = str([found[name] for name in ("summary", "findings", "managers", "unconfirmed")])
    assert "555-01" not in shown
    assert PHONE not in shown


def test_references_to_messages_not_sent_are_dropped_and_counted(practice: Practice) -> None:
    practice.control("gemini", fault="invent_refs")
    trial, found = tried(loaded(practice), "analysis")
    assert_has(trial, colour="yellow", code="refs_dropped", params={"refs": found["unknown_refs"]})
    assert found["unknown_refs"] > 0


def test_knowledge_reaches_the_model_in_a_trial_with_its_phones(practice: Practice) -> None:
    with tenant_scope(practice.tenant.id):
        prompts.save(Topic.KNOWLEDGE, "Доставка 1 500 ₸, телефон +7 727 300 00 00", None)
    tried(loaded(practice), "analysis")
    assert "Доставка 1 500 ₸, телефон +7 727 300 00 00" in bodies(practice)[-1]["systemInstruction"]["parts"][0]["text"]


def test_task_and_knowledge_reach_the_model_in_a_run(practice: Practice) -> None:
    with tenant_scope(practice.tenant.id):
        prompts.save(Topic.TASK, "Ищи возражения", None)
        prompts.save(Topic.KNOWLEDGE, "Доставка 1 500 ₸", None)
    practice.run()
    told = bodies(practice)[-1]["systemInstruction"]["parts"][0]["text"]
    assert told.startswith("Ищи возражения\n")
    assert "Доставка 1 500 ₸" in told


def test_knowledge_makes_another_question_of_the_same_dialogs(practice: Practice) -> None:
    tried(loaded(practice), "analysis")
    with tenant_scope(practice.tenant.id):
        prompts.save(Topic.KNOWLEDGE, "Доставка 1 500 ₸", None)
    tried(practice, "analysis")
    assert len({call.prompt_hash for call in calls(practice)}) == 2


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_every_fault_has_its_colour_code_and_sentence(practice: Practice, fault: Fault) -> None:
    practice.control("gemini", **fault.order)
    trial, _ = tried(loaded(practice), fault.act)
    assert_has(trial, colour=fault.colour, code=fault.code)
    assert says(trial) not in ("", fault.code)
    assert (calls(practice) == []) == ("path" in fault.order)


def test_dialogs_over_the_limit_of_the_model_are_told_and_not_paid(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "gemini-tiny"
    methods = ["generateContent", "countTokens"]
    monkeypatch.setitem(gemini.MODELS, name, gemini._model(name, "Tiny", 8_192, methods, 50))
    with tenant_scope(practice.tenant.id):
        integrations.save("ai", {"model": name})
    trial, _ = tried(loaded(practice), "analysis")
    assert_has(trial, colour="yellow", code="ai_too_long")
    assert calls(practice) == []


def test_a_model_that_is_no_longer_offered_is_told(practice: Practice) -> None:
    with tenant_scope(practice.tenant.id):
        integrations.save("ai", {"model": "gemini-of-yesterday"})
    trial, _ = tried(loaded(practice), "analysis")
    assert_has(trial, colour="yellow", code="ai_model_gone")
    assert calls(practice) == []


@pytest.mark.parametrize("act", ["package", "analysis"])
def test_an_ai_that_is_not_connected_is_told(practice: Practice, act: str) -> None:
    loaded(practice)
    with tenant_scope(practice.tenant.id):
        config = integrations.find("ai")
        db.session.delete(config)
        db.session.commit()
    trial, _ = tried(practice, act)
    assert_has(trial, colour="red", code="ai_not_connected")


# ---- written into Supabase


def test_an_analysis_written_twice_lies_there_once(practice: Practice) -> None:
    made, found = tried(loaded(practice), "analysis")
    assert [tried(practice, "write")[0].code for _ in range(2)] == ["write_ok"] * 2
    (row,) = practice.rows("synkro_analyses")
    assert_entries(row, run_id=str(made.id), model=found["model"], answer={"text": found["answer"]})


def test_without_an_analysis_there_is_nothing_to_write(practice: Practice) -> None:
    trial, _ = tried(practice, "write")
    assert_has(trial, colour="red", code="ai_analysis_first")
    assert practice.rows("synkro_analyses") == []
    assert says(trial) != trial.code
