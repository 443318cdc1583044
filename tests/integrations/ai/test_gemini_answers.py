"""What the client makes of answers that the stand-in does not give, and what a request costs."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.integrations.ai.client import Ai, cost
from synkro.integrations.ai.gemini.errors import SchemaRefused, check_answer, seconds_to_new_day
from synkro.integrations.errors import ApiError, Busy, Gone, Nonsense, Refused, Unpaid, Unreachable
from synkro.integrations.http.calls import HttpAnswer
from tests.support.emulators import Start, saying
from tests.support.gemini_client import MODEL, SCHEMA, open_ai
from tests.support.having import assert_has
from tests.support.sandbox_words import words


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
    assert_has(said, outcome="empty", text="", tokens_in=0)


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
    assert_has(said, outcome="truncated", text="нача", finish_reason="TOMORROW")


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
        found = check_answer(HttpAnswer(status, {}, json.dumps(body).encode(), "Gemini"))
        assert isinstance(found, kind)
        assert found.code == code


def test_no_wait_is_longer_than_two_minutes_for_a_full_minute() -> None:
    body = {"error": {"details": [{"retryDelay": "999s"}]}}
    found = check_answer(HttpAnswer(429, {}, json.dumps(body).encode(), "Gemini"))
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
        error = check_answer(HttpAnswer(status, {}, json.dumps(body).encode(), "Gemini"))
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
