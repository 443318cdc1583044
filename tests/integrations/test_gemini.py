from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from synkro import clock
from synkro.integrations.ai import Ai, cost
from synkro.integrations.errors import ApiError, Busy, Gone, Lost, Nonsense, Refused, Unpaid, Unreachable
from synkro.integrations.gemini_errors import SchemaRefused, judge, seconds_to_new_day
from synkro.integrations.http import Answer
from synkro.sandbox.gemini import create_app
from synkro.sandbox.keys import Keys
from tests.integrations.conftest import Counted, Emulator, Start, door_to, saying
from tests.integrations.sandbox_fixtures import words

KEY = Keys()
MODEL = "gemini-3.8-flash"
SCHEMA = {"type": "object", "properties": {"summary": {"type": "string"}}, "required": ["summary"]}


@pytest.fixture
def emulator(start: Start) -> Emulator:
    return start(create_app(KEY))


def open_ai(emulator: Emulator, **settings: str) -> Ai:
    return Ai({"api_key": KEY.gemini_key, "model": MODEL, **settings}, door_to(Counted(), gemini=emulator))


def bodies(emulator: Emulator) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"{emulator.url}/__bodies", timeout=60).json()
    return found


def calls(emulator: Emulator) -> list[str]:
    return [entry["path"] for entry in emulator.requests()]


def test_check_is_green_once_the_model_has_answered(emulator: Emulator) -> None:
    found = open_ai(emulator).check()
    assert (found.colour, found.code, found.params) == ("green", "ai_ok", {"model": MODEL})
    assert calls(emulator)[-1].endswith(":generateContent")


def test_check_asks_for_a_model_when_none_is_chosen(emulator: Emulator) -> None:
    found = open_ai(emulator, model="").check()
    assert (found.colour, found.code) == ("red", "ai_choose_model")


def test_check_says_that_the_chosen_model_is_gone(emulator: Emulator) -> None:
    found = open_ai(emulator, model="gemini-2.0-flash").check()
    assert (found.colour, found.code) == ("yellow", "ai_model_gone")


def test_a_key_that_may_only_list_is_not_green(emulator: Emulator) -> None:
    emulator.fault("key_list_only", times=-1)
    with pytest.raises(Refused) as caught:
        open_ai(emulator).check()
    assert caught.value.code == "ai_no_rights"


def test_a_used_up_day_is_yellow(emulator: Emulator) -> None:
    emulator.fault("429_day", times=-1)
    found = open_ai(emulator).check()
    assert (found.colour, found.code) == ("yellow", "ai_day_quota")


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
    offers = {offer.value: (offer.title, offer.note) for offer in ai.offers()["model"]}
    assert offers[MODEL] == ("Gemini 3.8 Flash", "1\u00a0048\u00a0576 / 65\u00a0536; $0.75 / $3.75")
    assert len(calls(emulator)) == 1


def test_tokens_of_instructions_and_data_are_counted(emulator: Emulator) -> None:
    ai = open_ai(emulator)
    assert (ai.count_tokens("Отвечай кратко.", "данные") or 0) > (ai.count_tokens("", "данные") or 0) > 0


def test_an_answer_follows_the_schema(emulator: Emulator) -> None:
    said = open_ai(emulator).generate("Отвечай по-русски.", "ДАННЫЕ", SCHEMA, 4_000)
    assert (said.outcome, said.finish_reason, said.model) == ("ok", "STOP", MODEL)
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
    assert (caught.value.code, caught.value.retry_after) == ("busy", 38.2)


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
    assert (caught.value.code, calls(emulator)) == ("ai_model_gone", [])


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


def scripted(start: Start, *answers: tuple[int, Any]) -> tuple[Ai, list[dict[str, Any]]]:
    """An AI whose vendor gives these answers in turn, and the bodies that it was sent."""
    app, seen = saying(answers)
    return open_ai(start(app)), seen


def refusal(message: str, **error: Any) -> dict[str, Any]:
    return {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT", **error}}


GOOD = {"candidates": [{"content": {"parts": [{"text": "{}"}]}, "finishReason": "STOP"}]}


def test_a_model_without_schemas_is_asked_for_free_text(start: Start) -> None:
    text = "Invalid JSON payload received. Unknown name \"responseJsonSchema\" at 'generation_config'"
    ai, seen = scripted(start, (400, refusal(text)), (200, GOOD))
    assert ai.generate("", "x", SCHEMA, 100).text == "{}"
    assert "responseMimeType" not in seen[1]["generationConfig"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"candidates": []},
        {"candidates": None},
        {"candidates": ["?"]},
        {"candidates": [{"content": {"parts": ["?", {"text": 5}, {"functionCall": {"name": "rm"}}]}}]},
        {"candidates": [{"content": "?", "finishReason": "STOP"}], "usageMetadata": "?"},
        {"candidates": [{"finishReason": {"a": 1}}], "usageMetadata": {"promptTokenCount": "9"}},
        {"promptFeedback": []},
    ],
)
def test_an_odd_answer_is_empty(start: Start, body: Any) -> None:
    ai, _ = scripted(start, (200, body))
    said = ai.generate("", "x", None, 100)
    assert (said.outcome, said.text, said.tokens_in) == ("empty", "", 0)


@pytest.mark.parametrize("body", [[], [GOOD], "text", None, 5])
def test_an_answer_that_is_no_object_is_nonsense(start: Start, body: Any) -> None:
    ai, _ = scripted(start, (200, body))
    with pytest.raises(Nonsense):
        ai.generate("", "x", None, 100)


def test_text_that_ended_for_an_unknown_reason_is_not_taken_for_whole(start: Start) -> None:
    ai, _ = scripted(
        start, (200, {"candidates": [{"content": {"parts": [{"text": "нача"}]}, "finishReason": "TOMORROW"}]})
    )
    said = ai.generate("", "x", None, 100)
    assert (said.outcome, said.text, said.finish_reason) == ("truncated", "нача", "TOMORROW")


def test_all_pages_of_models_are_read(start: Start) -> None:
    def model(name: str) -> dict[str, Any]:
        return {"name": f"models/{name}", "supportedGenerationMethods": ["generateContent"]}

    ai, _ = scripted(
        start, (200, {"models": [model("a"), "?", {}], "nextPageToken": "2"}), (200, {"models": [model("b")]})
    )
    assert [found.id for found in ai.list_models()] == ["a", "b"]


@pytest.mark.parametrize(
    ("status", "error", "kind", "code"),
    [
        (400, {"status": "FAILED_PRECONDITION", "message": "User location is not supported"}, Refused, "ai_location"),
        (400, {"status": "FAILED_PRECONDITION", "message": "Please enable billing"}, Unpaid, "ai_billing"),
        (400, {"message": "The input token count (2) exceeds the maximum"}, Gone, "ai_too_long"),
        (400, {"message": "Unknown name foo"}, Gone, "ai_rejected"),
        (400, {"message": "Invalid response_schema"}, SchemaRefused, "ai_schema_refused"),
        (401, {}, Refused, "ai_key_kind"),
        (402, {}, Unpaid, "ai_billing"),
        (403, {"message": "Your API key was reported as leaked."}, Refused, "ai_key_leaked"),
        (403, {"message": "blocked"}, Refused, "ai_no_rights"),
        (404, {}, Gone, "ai_model_gone"),
        (413, {}, Gone, "ai_too_long"),
        (429, {"details": [{"retryDelay": "999s"}]}, Busy, "busy"),
        (500, {}, Unreachable, "server_error"),
        (302, {}, Nonsense, "unexpected_shape"),
    ],
)
def test_refusals_are_classed(status: int, error: dict[str, Any], kind: type[ApiError], code: str) -> None:
    for body in ({"error": error}, [{"error": error}]):
        found = judge(Answer(status, {}, json.dumps(body).encode(), "Gemini"))
        assert isinstance(found, kind)
        assert found.code == code


def test_no_wait_is_longer_than_two_minutes_for_a_full_minute() -> None:
    body = {"error": {"details": [{"retryDelay": "999s"}]}}
    found = judge(Answer(429, {}, json.dumps(body).encode(), "Gemini"))
    assert found is not None
    assert found.retry_after == 120


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["error", "details", "message", "violations"]), inner)
    ),
)


@given(st.integers(300, 599), json_values)
def test_any_refusal_is_one_of_our_errors(status: int, value: Any) -> None:
    for body in (value, {"error": value}, [{"error": {"details": value, "message": value}}]):
        error = judge(Answer(status, {}, json.dumps(body).encode(), "Gemini"))
        assert error is not None
        assert words(error)


@given(st.integers(1_700_000_000, 1_900_000_000))
def test_the_new_day_is_at_most_twenty_five_hours_away(second: int) -> None:
    assert 0 < seconds_to_new_day(datetime.fromtimestamp(second, UTC)) <= 25 * 3600


def test_the_new_day_begins_at_midnight_in_california() -> None:
    assert seconds_to_new_day(datetime(2026, 7, 1, 6, 30, tzinfo=UTC)) == timedelta(minutes=30).total_seconds()
    assert seconds_to_new_day(datetime(2026, 12, 1, 7, 30, tzinfo=UTC)) == timedelta(minutes=30).total_seconds()


TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("model", "into", "out", "on", "dollars"),
    [
        (MODEL, 1_000_000, 0, TODAY, "0.75"),
        (MODEL, 1_000_000, 1_000_000, TODAY, "4.50"),
        (MODEL, 1_000_000, 1_000_000, date(2027, 1, 1), "9.00"),
        (f"models/{MODEL}", 4_000, 1_000, TODAY, "0.00675"),
        ("gemini-3.1-pro-preview", 200_000, 0, TODAY, "0.4"),
        ("gemini-3.1-pro-preview", 200_001, 0, TODAY, "0.800004"),
        (MODEL, 0, 0, TODAY, "0"),
    ],
)
def test_a_request_costs_what_the_table_says(model: str, into: int, out: int, on: date, dollars: str) -> None:
    assert cost(model, into, out, on) == Decimal(dollars)


def test_an_unknown_model_has_no_price() -> None:
    assert cost("gemini-9-ultra", 1, 1, TODAY) is None
