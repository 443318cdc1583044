"""The stand-in of a server with OpenAI's interface: as strict as the vendor, and the same answer each time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from synkro.sandbox.keys import Keys
from synkro.sandbox.openai import app as openai
from synkro.sandbox.server import Server

KEY = {"Authorization": f"Bearer {Keys().openai_key}"}
SCHEMA = {"type": "object", "properties": {"summary": {"type": "string"}}}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server(openai.create_app(Keys()))
    yield server
    server.stop()


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    yield server.url
    requests.delete(f"{server.url}/__control", timeout=60)


def body(*said: str, **more: Any) -> dict[str, Any]:
    messages = [{"role": role, "content": text} for role, text in zip(("user", "system"), said, strict=False)]
    return {"model": "practice-large", "messages": messages, **more}


def call(url: str, sent: Any, **headers: str) -> requests.Response:
    return requests.post(f"{url}/v1/chat/completions", json=sent, headers=headers or KEY, timeout=60)


def said(answer: requests.Response) -> str:
    return str(answer.json()["choices"][0]["message"]["content"])


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer other"}, {"x-api-key": Keys().openai_key}])
def test_only_the_bearer_key_passes(url: str, headers: dict[str, str]) -> None:
    assert requests.get(f"{url}/v1/models", headers=KEY, timeout=60).status_code == 200
    assert requests.get(f"{url}/v1/models", headers=headers, timeout=60).status_code == 401


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (body("x"), 200),
        (body("x", temperature=1), 400),
        (body("x", max_tokens="8"), 400),
        (body("x", max_tokens=0), 400),
        (body("x", model="gone"), 404),
        ({"model": "practice-large", "messages": []}, 400),
        (body("x", response_format={"type": "json_object"}), 400),
        (body("x", "answer in JSON", response_format={"type": "json_object"}), 200),
        (body("слово " * 60_000, model="practice-small"), 400),
        ([1], 400),
    ],
)
def test_a_request_is_judged_as_the_vendor_does(url: str, sent: Any, status: int) -> None:
    assert call(url, sent).status_code == status


def test_the_answer_has_the_shape_asked_for_however_it_was_asked_for(url: str) -> None:
    told = f"by this JSON Schema:\n{json.dumps(SCHEMA)}"
    shape = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
    answers = [
        call(url, body("x", response_format=shape)),
        call(url, body("x", told, response_format={"type": "json_object"})),
        call(url, body("x", told)),
    ]
    assert len({said(answer) for answer in answers}) == 1
    assert set(json.loads(said(answers[0]))) == {"summary"}


def test_a_small_limit_cuts_the_answer(url: str) -> None:
    answer = call(url, body("[d1m1] 14:05 client: Сколько стоит?", max_completion_tokens=22)).json()
    assert answer["choices"][0]["finish_reason"] == "length"


def test_usage_adds_up(url: str) -> None:
    usage = call(url, body("x", "y")).json()["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
