from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from synkro.infra import clock
from synkro.integrations.ai.client import Ai
from synkro.integrations.ai.gemini.errors import seconds_to_new_day
from synkro.integrations.errors import Busy, Gone, Lost, Nonsense, Refused, Unreachable
from tests.support.emulators import Emulator
from tests.support.gemini_client import MODEL, SCHEMA, open_ai
from tests.support.gemini_client import emulator as emulator  # noqa: PLC0414 (a fixture)
from tests.support.having import assert_has


def bodies(emulator: Emulator) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"{emulator.url}/__bodies", timeout=60).json()
    return found


def calls(emulator: Emulator) -> list[str]:
    return [entry["path"] for entry in emulator.requests()]


def test_check_is_green_once_the_model_has_answered(emulator: Emulator) -> None:
    found = open_ai(emulator).check()
    assert_has(found, colour="green", code="ai_ok", params={"model": MODEL})
    assert calls(emulator)[-1].endswith(":generateContent")


def test_check_asks_for_a_model_when_none_is_chosen(emulator: Emulator) -> None:
    found = open_ai(emulator, model="").check()
    assert_has(found, colour="red", code="ai_choose_model")


def test_check_says_that_the_chosen_model_is_gone(emulator: Emulator) -> None:
    found = open_ai(emulator, model="gemini-2.0-flash").check()
    assert_has(found, colour="yellow", code="ai_model_gone")


def test_a_key_that_may_only_list_is_not_green(emulator: Emulator) -> None:
    emulator.fault("key_list_only", times=-1)
    with pytest.raises(Refused) as caught:
        open_ai(emulator).check()
    assert caught.value.code == "ai_no_rights"


def test_a_used_up_day_is_yellow(emulator: Emulator) -> None:
    emulator.fault("429_day", times=-1)
    found = open_ai(emulator).check()
    assert_has(found, colour="yellow", code="ai_day_quota")


@pytest.mark.parametrize("fault", ["SAFETY", "empty_stop", "prompt_blocked", "MAX_TOKENS_no_parts"])
def test_a_check_without_a_usable_answer_is_not_green(emulator: Emulator, fault: str) -> None:
    emulator.fault(fault)
    assert open_ai(emulator).check().code == "ai_odd_answer"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("key_invalid", "ai_key_invalid"),
        ("key_leaked", "ai_key_leaked"),
        ("key_not_accepted", "ai_key_kind"),
        ("geo", "ai_location"),
    ],
)
def test_a_refused_key_has_its_own_words(emulator: Emulator, fault: str, code: str) -> None:
    emulator.fault(fault, times=-1)
    with pytest.raises(Refused) as caught:
        open_ai(emulator).check()
    assert caught.value.code == code


def test_a_wrong_key_is_refused(emulator: Emulator) -> None:
    with pytest.raises(Refused) as caught:
        open_ai(emulator, api_key="AQ.of-someone-else").check()
    assert caught.value.code == "ai_key_invalid"


def test_an_error_inside_a_list_is_understood(emulator: Emulator) -> None:
    emulator.fault("key_invalid")
    emulator.fault("array_wrapped")
    with pytest.raises(Refused) as caught:
        open_ai(emulator).check()
    assert caught.value.code == "ai_key_invalid"


def test_only_models_that_write_text_are_offered(emulator: Emulator) -> None:
    names = {model.id for model in open_ai(emulator).list_models()}
    assert names == {MODEL, "gemini-3.5-flash-lite", "gemini-2.5-flash-lite"}


def test_models_are_offered_with_their_limits_and_prices(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 20, tzinfo=UTC))
    ai = open_ai(emulator, model="")
    ai.check()
    offers = {offer.value: offer for offer in ai.offers()["model"]}
    assert_has(offers[MODEL], title="Gemini 3.8 Flash", note="1\u00a0048\u00a0576 / 65\u00a0536; $0.75 / $3.75")
    assert len(calls(emulator)) == 1


def test_tokens_of_instructions_and_data_are_counted(emulator: Emulator) -> None:
    ai = open_ai(emulator)
    assert (ai.count_tokens("Отвечай кратко.", "данные") or 0) > (ai.count_tokens("", "данные") or 0) > 0


def test_an_answer_follows_the_schema(emulator: Emulator) -> None:
    said = open_ai(emulator).generate("Отвечай по-русски.", "ДАННЫЕ", SCHEMA, 4_000)
    assert_has(said, outcome="ok", finish_reason="STOP", model=MODEL)
    assert set(json.loads(said.text)) == {"summary"}


def test_thinking_is_counted_as_output(emulator: Emulator) -> None:
    said = open_ai(emulator).generate("", "ДАННЫЕ", None, 4_000)
    assert said.tokens_in > 0
    assert 0 < said.tokens_thought < said.tokens_out


def test_a_request_holds_only_what_was_meant(emulator: Emulator) -> None:
    open_ai(emulator).generate("правила", "данные", SCHEMA, 4_000)
    (body,) = bodies(emulator)
    assert body["systemInstruction"] == {"parts": [{"text": "правила"}]}
    assert body["contents"] == [{"role": "user", "parts": [{"text": "данные"}]}]
    assert body["generationConfig"] == {
        "maxOutputTokens": 4_000,
        "thinkingConfig": {"thinkingLevel": "LOW"},
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
    }
    assert {setting["threshold"] for setting in body["safetySettings"]} == {"BLOCK_ONLY_HIGH"}


def test_an_older_model_thinks_within_a_budget(emulator: Emulator) -> None:
    open_ai(emulator, model="models/gemini-2.5-flash-lite").generate("", "x", None, 4_000)
    assert list(bodies(emulator)[0]["generationConfig"]["thinkingConfig"]) == ["thinkingBudget"]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("MAX_TOKENS", "truncated"),
        ("MAX_TOKENS_no_parts", "truncated"),
        ("SAFETY", "blocked"),
        ("prompt_blocked", "blocked"),
        ("RECITATION", "empty"),
        ("OTHER", "empty"),
        ("NEW_REASON", "empty"),
        ("empty_stop", "empty"),
        ("two_parts", "ok"),
    ],
)
def test_every_end_has_an_outcome(emulator: Emulator, fault: str, outcome: str) -> None:
    emulator.fault(fault)
    said = open_ai(emulator).generate("", "ДАННЫЕ", None, 4_000)
    assert said.outcome == outcome
    assert "мысли" not in said.text


def test_a_full_minute_tells_how_long_to_wait(emulator: Emulator) -> None:
    emulator.fault("429_minute")
    with pytest.raises(Busy) as caught:
        open_ai(emulator).generate("", "x", None, 100)
    assert_has(caught.value, code="busy", retry_after=38.2)


def test_a_full_day_lasts_until_midnight_in_california(emulator: Emulator) -> None:
    emulator.fault("429_day")
    before = datetime.now(UTC)
    with pytest.raises(Busy) as caught:
        open_ai(emulator).generate("", "x", None, 100)
    assert caught.value.code == "ai_day_quota"
    assert caught.value.retry_after == pytest.approx(seconds_to_new_day(before), abs=30)


@pytest.mark.parametrize("fault", ["429_bare", "internal", "unavailable", "deadline", "502_html", "429_html"])
def test_an_answered_failure_is_tried_again(emulator: Emulator, fault: str) -> None:
    emulator.fault(fault)
    assert open_ai(emulator).generate("", "x", None, 100).outcome == "ok"


def test_a_failure_that_stays_is_an_error(emulator: Emulator) -> None:
    emulator.fault("unavailable", times=-1)
    with pytest.raises(Unreachable):
        open_ai(emulator).generate("", "x", None, 100)
    assert len(bodies(emulator)) == 4


def test_a_lost_answer_is_not_paid_for_twice(emulator: Emulator) -> None:
    emulator.fault("drop_after")
    with pytest.raises(Lost):
        open_ai(emulator).generate("", "x", None, 100)
    assert len(bodies(emulator)) == 1


@pytest.mark.parametrize("fault", ["html", "broken_json", "empty"])
def test_an_unreadable_answer_is_not_paid_for_twice(emulator: Emulator, fault: str) -> None:
    emulator.fault(fault, path="generateContent", times=-1)
    with pytest.raises(Nonsense):
        open_ai(emulator).generate("", "x", None, 100)
    assert len(calls(emulator)) == 1


def test_the_key_is_the_only_credential_and_not_in_the_address(emulator: Emulator) -> None:
    open_ai(emulator).generate("", "x", None, 100)
    assert [entry["query"] for entry in emulator.requests()] == [""]


@pytest.mark.parametrize("model", ["../../v1/files", "a?key=1", "a#b", "модель", "a/b"])
def test_a_model_name_cannot_lead_elsewhere(emulator: Emulator, model: str) -> None:
    with pytest.raises(Gone) as caught:
        open_ai(emulator, model=model).generate("", "x", None, 100)
    assert caught.value.code == "ai_model_gone"
    assert calls(emulator) == []


def test_no_model_is_not_asked(emulator: Emulator) -> None:
    with pytest.raises(Gone) as caught:
        open_ai(emulator, model="").generate("", "x", None, 100)
    assert caught.value.code == "ai_choose_model"


def test_half_a_surrogate_pair_does_not_stop_a_request(emulator: Emulator) -> None:
    assert open_ai(emulator).generate("", "обрез\ud83d", None, 100).outcome == "ok"


def test_a_provider_that_we_do_not_have_is_refused(emulator: Emulator) -> None:
    with pytest.raises(Refused) as caught:
        open_ai(emulator, provider="other")
    assert caught.value.code == "ai_unknown_provider"


def test_only_the_key_is_secret() -> None:
    assert Ai.secret_names() == {"api_key"}


# --- answers that the stand-in does not give ---
