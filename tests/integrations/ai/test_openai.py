from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
import requests
from flask import Flask, Response, request
from hypothesis import given
from hypothesis import strategies as st

from synkro.integrations.ai.client import Ai
from synkro.integrations.ai.openai.address import base_address, tidy_base
from synkro.integrations.ai.openai.answer import generation, models
from synkro.integrations.ai.openai.errors import check_answer
from synkro.integrations.errors import ApiError, Busy, Gone, Lost, Nonsense, Refused, Unpaid, Unreachable
from synkro.integrations.http.calls import HttpAnswer
from synkro.integrations.http.client import HttpClient
from synkro.sandbox.keys import Keys
from synkro.sandbox.openai.app import create_app
from tests.support.emulators import Counted, Emulator, Sockets, Start, saying
from tests.support.having import assert_has
from tests.support.sandbox_words import words

KEY = Keys()
MODEL = "practice-large"
SCHEMA = {"type": "object", "properties": {"summary": {"type": "string"}}, "required": ["summary"]}


@pytest.fixture
def emulator(start: Start) -> Emulator:
    return start(create_app(KEY))


def open_ai(emulator: Emulator, **settings: str) -> Ai:
    base = {"provider": "openai", "base_url": f"{emulator.url}/v1", "api_key": KEY.openai_key, "model": MODEL}
    return Ai({**base, **settings}, HttpClient(Counted(), allow_hosts=frozenset({emulator.host})))


def bodies(emulator: Emulator) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"{emulator.url}/__bodies", timeout=60).json()
    return found


def test_check_is_green_once_the_model_has_answered(emulator: Emulator) -> None:
    found = open_ai(emulator).check()
    assert_has(found, colour="green", code="ai_ok", params={"model": MODEL})
    assert len(bodies(emulator)) == 1


def test_models_that_write_text_are_offered_with_what_is_known(emulator: Emulator) -> None:
    offers = open_ai(emulator).offers()["model"]
    assert [(offer.value, offer.title, offer.note) for offer in offers] == [
        (MODEL, "Practice Large", "200\u00a0000 / 32\u00a0000; $?"),
        ("practice-plain", "practice-plain", "? / ?; $?"),
        ("practice-small", "Practice Small", "32\u00a0000 / 8\u00a0000; $?"),
    ]


def test_a_request_holds_only_what_was_meant(emulator: Emulator) -> None:
    open_ai(emulator).generate("правила", "данные", SCHEMA, 4_000)
    assert bodies(emulator) == [
        {
            "model": MODEL,
            "messages": [{"role": "system", "content": "правила"}, {"role": "user", "content": "данные"}],
            "max_tokens": 4_000,
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}},
        }
    ]


@pytest.mark.parametrize(
    ("faults", "forms"),
    [
        (["no_schema"], ["json_schema", "json_object"]),
        (["no_schema_422"], ["json_schema", "json_object"]),
        (["no_schema", "no_json"], ["json_schema", "json_object", None]),
    ],
)
def test_after_a_refused_form_the_next_one_is_used_and_kept(
    emulator: Emulator, faults: list[str], forms: list[str | None]
) -> None:
    for fault in faults:
        emulator.fault(fault, times=-1)
    ai = open_ai(emulator)
    said = [ai.generate("", "ДАННЫЕ", SCHEMA, 4_000) for _ in range(2)]
    assert [set(json.loads(one.text)) for one in said] == [{"summary"}] * 2
    assert [body.get("response_format", {}).get("type") for body in bodies(emulator)] == [*forms, forms[-1]]


@pytest.mark.parametrize(
    ("fault", "names"),
    [("old_limit", ["max_tokens", "max_completion_tokens"]), ("no_limit", ["max_tokens", "max_completion_tokens", ""])],
)
def test_a_refused_limit_gets_another_name_or_is_left_out(emulator: Emulator, fault: str, names: list[str]) -> None:
    emulator.fault(fault, times=-1)
    assert open_ai(emulator).generate("", "x", None, 4_000).outcome == "ok"
    assert ["".join(body.keys() - {"model", "messages"}) for body in bodies(emulator)] == names


def test_a_server_that_refuses_every_form_is_left_alone(start: Start) -> None:
    ai, seen = scripted(start, *[(400, {"error": {"message": "response_format is unknown"}})] * 9)
    with pytest.raises(Gone) as caught:
        ai.generate("", "x", SCHEMA, 100)
    assert caught.value.code == "ai_server_rejected"
    assert len(seen) == 3


@pytest.mark.parametrize("fault", ["parts", "think_aloud"])
def test_thoughts_are_no_part_of_what_was_said(emulator: Emulator, fault: str) -> None:
    emulator.fault(fault)
    assert open_ai(emulator).generate("", "x", None, 4_000).text == "OK"


def test_without_usage_nothing_is_made_up(emulator: Emulator) -> None:
    emulator.fault("no_usage")
    said = open_ai(emulator).generate("", "x", None, 4_000)
    assert_has(said, text="OK", tokens_in=0, tokens_out=0, tokens_thought=0)


def test_tokens_are_not_counted_by_these_servers(emulator: Emulator) -> None:
    assert open_ai(emulator).count_tokens("a", "b") is None
    assert emulator.requests() == []


def test_a_failure_of_the_server_behind_a_router_is_not_an_answer(emulator: Emulator) -> None:
    emulator.fault("error_inside")
    with pytest.raises(Unreachable):
        open_ai(emulator).generate("", "x", None, 100)
    assert len(bodies(emulator)) == 1


def test_a_full_minute_tells_how_long_to_wait(emulator: Emulator) -> None:
    emulator.fault("429_rate")
    with pytest.raises(Busy) as caught:
        open_ai(emulator).generate("", "x", None, 100)
    assert_has(caught.value, code="busy", retry_after=20)


def test_a_full_day_is_no_full_minute(emulator: Emulator) -> None:
    emulator.fault("429_day")
    with pytest.raises(Busy) as caught:
        open_ai(emulator).generate("", "x", None, 100)
    assert_has(caught.value, code="ai_server_quota", retry_after=7_200)


def test_no_money_is_not_waited_for(emulator: Emulator) -> None:
    emulator.fault("429_quota", times=-1)
    with pytest.raises(Unpaid):
        open_ai(emulator).generate("", "x", None, 100)
    assert len(bodies(emulator)) == 1


def test_the_key_is_the_only_credential_and_not_in_the_address(start: Start) -> None:
    app, seen = Flask(__name__), list[Any]()

    @app.route("/<path:path>", methods=["GET", "POST"])
    def say(path: str) -> Response:
        seen.append((request.full_path, request.headers.getlist("Authorization"), request.headers.get("x-api-key")))
        return Response("{}", content_type="application/json")

    open_ai(start(app)).generate("", "x", None, 100)
    assert seen == [("/v1/chat/completions?", [f"Bearer {KEY.openai_key}"], None)]


# --- the address ---


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" https://api.example.com/v1/ ", "https://api.example.com/v1"),
        ("api.example.com/v1", "https://api.example.com/v1"),
        ("https://api.example.com/v1/chat/completions", "https://api.example.com/v1"),
        ("https://api.example.com/v1/models?key=1#a", "https://api.example.com/v1"),
        ("https://me:secret@api.example.com/v1", "https://api.example.com/v1"),
        ("", ""),
    ],
)
def test_an_address_is_kept_as_the_base(typed: str, kept: str) -> None:
    assert tidy_base(typed) == kept


@given(st.text())
def test_tidying_twice_changes_nothing_more_about_a_host(text: str) -> None:
    once = tidy_base(f"https://api.example.com/{text}")
    assert once.startswith("https://api.example.com") or "@" in text
    assert "?" not in once
    assert "#" not in once


APPROVED = HttpClient(Counted(), approved=frozenset({"api.example.com:443"}))


@pytest.mark.parametrize(
    "address", ["api.example.com/v1", "https://api.example.com/v1", "https://api.example.com:443/openai/v1"]
)
def test_a_host_that_was_agreed_to_is_accepted(address: str) -> None:
    assert base_address(address, APPROVED) == tidy_base(address)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("https://api.example.org/v1", "ai_host_not_approved"),
        ("https://api.example.com.evil.example/v1", "ai_host_not_approved"),
        ("https://api.example.com@evil.example/v1", "ai_host_not_approved"),
        ("https://api.example.com:8443/v1", "ai_host_not_approved"),
        ("http://api.example.com/v1", "ai_address_form"),
        ("https://10.0.0.1/v1", "ai_address_form"),
        ("https://2130706433/v1", "ai_address_form"),
        ("https://[::1]/v1", "ai_address_form"),
        ("https://localhost/v1", "ai_address_form"),
        ("file:///etc/passwd", "ai_address_form"),
        ("https://api.example.com:port/v1", "ai_address_form"),
        ("https://аpi.example.com/v1", "ai_address_form"),
        ("", "ai_address_form"),
    ],
)
def test_nobody_is_called_at_an_address_that_staff_have_not_agreed_to(
    address: str, code: str, sockets: Sockets
) -> None:
    with pytest.raises(Refused) as caught:
        Ai({"provider": "openai", "base_url": address, "api_key": "k", "model": "m"}, APPROVED).check()
    assert caught.value.code == code
    assert sockets == []
    assert words(caught.value)


# --- answers that the stand-in does not give ---


def scripted(start: Start, *answers: tuple[int, Any]) -> tuple[Ai, list[dict[str, Any]]]:
    """An AI whose server gives these answers in turn, and the bodies that it was sent."""
    app, seen = saying(answers)
    return open_ai(start(app)), seen


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"choices": None},
        {"choices": ["?"]},
        {"choices": [{"message": "?", "finish_reason": "stop"}], "usage": "?"},
        {"choices": [{"message": {"content": 5}}], "usage": {"prompt_tokens": -9}},
        {"choices": [{"message": {"content": [{"type": "text", "text": 5}, "?"]}, "finish_reason": {"a": 1}}]},
    ],
)
def test_an_odd_answer_is_empty(start: Start, body: Any) -> None:
    ai, _ = scripted(start, (200, body))
    said = ai.generate("", "x", None, 100)
    assert_has(said, outcome="empty", text="", tokens_in=0)


@pytest.mark.parametrize("body", [[], "text", None, 5])
def test_an_answer_that_is_no_object_is_nonsense(start: Start, body: Any) -> None:
    ai, _ = scripted(start, (200, body))
    with pytest.raises(Nonsense):
        ai.generate("", "x", None, 100)


def test_thinking_that_only_the_total_tells_is_counted_as_output(start: Start) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 40}
    ai, _ = scripted(start, (200, {"choices": [], "usage": usage}))
    assert ai.generate("", "x", None, 100).tokens_out == 30


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ([{"id": "b"}, {"id": "a"}], ["a", "b"]),
        ({"data": [{"id": "a"}, {"id": "a"}, {"id": ""}, {}, "?", {"id": ["x"]}]}, ["a"]),
        ({"data": [{"id": name} for name in ("text-embedding-3", "whisper-1", "gpt-6", "dall-e-9")]}, ["gpt-6"]),
        ({"data": []}, []),
    ],
)
def test_models_are_read_from_a_list_of_any_kind(body: Any, ids: list[str]) -> None:
    assert [model.id for model in models(HttpAnswer(200, {}, json.dumps(body).encode()))] == ids


@pytest.mark.parametrize(
    ("row", "reads", "writes"),
    [
        ({"context_window": 131_072, "max_completion_tokens": 8_192}, 131_072, 8_192),
        ({"max_model_len": 4_096}, 4_096, 0),
        ({"context_length": "x", "max_context_length": 100}, 100, 0),
        ({"context_length": -1}, 0, 0),
    ],
)
def test_limits_have_many_names(row: dict[str, Any], reads: int, writes: int) -> None:
    (model,) = models(HttpAnswer(200, {}, json.dumps([{"id": "m", **row}]).encode()))
    assert_has(model, input_limit=reads, output_limit=writes)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"error": {"message": "x is not a valid model ID", "code": 400}}, Gone, "ai_model_gone"),
        (400, {"object": "error", "message": "The model `x` does not exist."}, Gone, "ai_model_gone"),
        (400, {"error": {"code": "context_length_exceeded", "message": "x"}}, Gone, "ai_too_long"),
        (400, [{"error": {"message": "API key not valid. Please pass a valid API key."}}], Refused, "ai_server_key"),
        (400, [{"error": {"message": "User location is not supported"}}], Refused, "ai_server_country"),
        (400, "?", Gone, "ai_server_rejected"),
        (401, {"error": "unauthorized"}, Refused, "ai_server_key"),
        (402, {}, Unpaid, "ai_server_unpaid"),
        (403, "<html>", Refused, "ai_server_rights"),
        (404, {"error": "model 'x' not found, try pulling it first"}, Gone, "ai_model_gone"),
        (404, {"error": {"message": "No endpoints found for x."}}, Gone, "ai_model_gone"),
        (404, {"detail": "Not Found"}, Gone, "ai_server_no_api"),
        (404, "<html>", Gone, "ai_server_no_api"),
        (405, {}, Gone, "ai_server_no_api"),
        (413, {}, Gone, "ai_too_long"),
        (429, {"error": {"type": "insufficient_quota"}}, Unpaid, "ai_server_unpaid"),
        (429, {"error": {"message": "Rate limit exceeded: free-models-per-day"}}, Busy, "ai_server_quota"),
        (429, {}, Busy, "busy"),
        (500, {}, Unreachable, "server_error"),
        (529, {}, Unreachable, "server_error"),
        (302, {}, Nonsense, "unexpected_shape"),
    ],
)
def test_refusals_are_classed(status: int, body: Any, kind: type[ApiError], code: str) -> None:
    found = check_answer(HttpAnswer(status, {}, json.dumps(body).encode(), "api.example.com"))
    assert isinstance(found, kind)
    assert found.code == code


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "detail", "choices", "usage", "content", "data", "id"]), inner
        )
    ),
)


@given(st.integers(300, 599), json_values)
def test_any_refusal_is_one_of_our_errors(status: int, value: Any) -> None:
    for body in (value, {"error": value}, [{"error": {"code": value, "message": value}}]):
        error = check_answer(HttpAnswer(status, {}, json.dumps(body).encode(), "api.example.com"))
        assert error is not None
        assert words(error)


@given(json_values)
def test_any_answer_is_a_generation_or_one_of_our_errors(value: Any) -> None:
    for body in (value, {"choices": [{"message": value, "finish_reason": value}], "usage": value}, {"error": value}):
        with suppress(ApiError):
            said = generation(HttpAnswer(200, {}, json.dumps(body).encode(), "api.example.com"), MODEL)
            assert said.outcome in ("ok", "truncated", "blocked", "empty")


@given(json_values)
def test_any_list_of_models_is_read_or_refused(value: Any) -> None:
    for body in (value, {"data": value}, [value]):
        try:
            found = models(HttpAnswer(200, {}, json.dumps(body).encode(), "api.example.com"))
        except Nonsense:
            continue
        assert all(model.id for model in found)


# --- what is paid for ---


@pytest.mark.parametrize("fault", ["429_bare", "internal", "overloaded", "502_html", "429_html"])
def test_an_answered_failure_is_tried_again(emulator: Emulator, fault: str) -> None:
    emulator.fault(fault)
    assert open_ai(emulator).generate("", "x", None, 100).outcome == "ok"


def test_a_lost_answer_is_not_paid_for_twice(emulator: Emulator) -> None:
    emulator.fault("drop_after")
    with pytest.raises(Lost):
        open_ai(emulator).generate("", "x", None, 100)
    assert len(bodies(emulator)) == 1


@pytest.mark.parametrize("fault", ["html", "broken_json", "empty"])
def test_an_unreadable_answer_is_not_paid_for_twice(emulator: Emulator, fault: str) -> None:
    emulator.fault(fault, path="completions", times=-1)
    with pytest.raises(Nonsense):
        open_ai(emulator).generate("", "x", None, 100)
    assert len(emulator.requests()) == 1
