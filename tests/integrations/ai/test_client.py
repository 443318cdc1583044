"""Both providers do the same for the same question, whatever their servers call it."""

from __future__ import annotations

import json

import pytest

from synkro.analysis.ai.claims import ANSWER_SCHEMA, read_answer
from synkro.integrations.ai.client import Ai
from synkro.integrations.base import Check
from synkro.integrations.errors import ApiError
from synkro.integrations.http.client import HttpClient
from synkro.sandbox.gemini import app as gemini
from synkro.sandbox.keys import Keys
from synkro.sandbox.openai import app as openai
from tests.support.emulators import Counted, Emulator, Start, client_to
from tests.support.having import assert_has

KEY = Keys()
PROVIDERS = ("gemini", "openai")
PROMPT = """## d1 | manager: Анна | stage: Новая
[d1m1] 14:05 client: Сколько стоит кухня?
[d1m2] 14:07 manager: От 300 тысяч: зависит от фасада
"""


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def emulator(start: Start, provider: str) -> Emulator:
    return start(gemini.create_app(KEY) if provider == "gemini" else openai.create_app(KEY))


def open_ai(provider: str, emulator: Emulator, **settings: str) -> Ai:
    if provider == "gemini":
        kept = {"api_key": KEY.gemini_key, "model": "gemini-3.8-flash"}
        return Ai({**kept, **settings}, client_to(Counted(), gemini=emulator))
    kept = {
        "provider": "openai",
        "api_key": KEY.openai_key,
        "model": "practice-large",
        "base_url": f"{emulator.url}/v1",
    }
    return Ai({**kept, **settings}, HttpClient(Counted(), allow_hosts=frozenset({emulator.host})))


def test_green_comes_from_an_answer(provider: str, emulator: Emulator) -> None:
    found = open_ai(provider, emulator).check()
    assert_has(found, colour="green", code="ai_ok")
    assert [entry["method"] for entry in emulator.requests()] == ["GET", "POST"]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("", Check("red", "ai_choose_model", stands="choice")),
        ("gone-1", Check("yellow", "ai_model_gone", stands="choice")),
    ],
)
def test_without_a_model_that_is_there_nothing_is_asked(
    provider: str, emulator: Emulator, model: str, expected: Check
) -> None:
    ai = open_ai(provider, emulator, model=model)
    assert ai.check() == expected
    assert ai.offers()["model"]
    assert [entry["method"] for entry in emulator.requests()] == ["GET"]


def test_one_question_gets_one_answer_in_the_shape_asked_for(start: Start) -> None:
    servers = {"gemini": start(gemini.create_app(KEY)), "openai": start(openai.create_app(KEY))}
    said = [open_ai(name, servers[name]).generate("правила", PROMPT, ANSWER_SCHEMA, 8_000) for name in PROVIDERS]
    assert said[0].text == said[1].text
    assert {one.outcome for one in said} == {"ok"}
    assert len({one.tokens_in for one in said}) == 1
    assert all(0 < one.tokens_thought < one.tokens_out for one in said)
    assert not hasattr(read_answer(said[1].text, {"d1m1", "d1m2"}), "code")


def test_without_a_schema_it_answers_in_words(provider: str, emulator: Emulator) -> None:
    said = open_ai(provider, emulator).generate("", PROMPT, None, 8_000)
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(said.text)


OUTCOMES = {
    "truncated": ("MAX_TOKENS", "length"),
    "blocked": ("prompt_blocked", "prompt_blocked"),
    "empty": ("empty_stop", "empty_stop"),
}
"""Outcome -> how it is caused at each."""
MORE = [("blocked", "SAFETY", "content_filter"), ("blocked", "SAFETY", "refusal"), ("empty", "OTHER", "empty_choices")]
MORE += [("truncated", "MAX_TOKENS_no_parts", "length_no_text"), ("empty", "NEW_REASON", "NEW_REASON")]


@pytest.mark.parametrize(
    ("outcome", "at_gemini", "at_openai"), [*((key, *two) for key, two in OUTCOMES.items()), *MORE]
)
def test_every_end_has_an_outcome(
    provider: str, emulator: Emulator, outcome: str, at_gemini: str, at_openai: str
) -> None:
    emulator.fault(at_gemini if provider == "gemini" else at_openai)
    assert open_ai(provider, emulator).generate("", PROMPT, None, 8_000).outcome == outcome


def test_a_key_with_odd_characters_leaves_the_house_for_nobody(provider: str, emulator: Emulator) -> None:
    with pytest.raises(ApiError) as caught:
        open_ai(provider, emulator, api_key="k\ney")
    assert caught.value.code == "key_malformed"
    assert emulator.requests() == []
