"""Reading the AI's answer."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.analysis.ai.answer import Answer
from synkro.analysis.ai.claims import ANSWER_SCHEMA, AnswerError, read_answer
from tests.support.having import assert_has

REFS = {"d1m1", "d1m2", "d2m1"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["d1m1", "risk"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["summary", "findings", "managers", "text", "kind", "evidence", "name", "remark"]), inner
        )
    ),
    max_leaves=25,
)


def answer(**parts: object) -> Answer:
    read = read_answer(json.dumps({"summary": "ok", **parts}), REFS)
    assert isinstance(read, Answer)
    return read


def finding(*evidence: object, text: str = "Slow answers", kind: object = "risk") -> dict[str, object]:
    return {"kind": kind, "text": text, "evidence": list(evidence)}


def test_known_refs_stay_and_made_up_ones_are_counted() -> None:
    read = answer(findings=[finding("d1m1", "[d2m1]", "D1M1", "d9m9", 5)])
    assert read.findings[0].evidence == ("d1m1", "d2m1")
    assert read.unknown_refs == 2


def test_a_claim_without_a_valid_ref_is_not_confirmed() -> None:
    remark = {"name": "Aliya", "remark": "Rude", "evidence": []}
    read = answer(findings=[finding("d9m9"), finding(text="Bare")], managers=[remark])
    assert_has(read, findings=(), managers=())
    assert read.unconfirmed == ("Slow answers", "Bare", "Aliya: Rude")


def test_an_unknown_kind_is_an_idea() -> None:
    assert answer(findings=[finding("d1m1", kind=["x"])]).findings[0].kind == "idea"


@pytest.mark.parametrize("endless", ["\n", " ", "\n ", "`"])
def test_a_model_that_lost_itself_in_a_stream_is_read_at_once(endless: str) -> None:
    begun = time.monotonic()
    assert isinstance(read_answer('```json\n{"summary": "ok"' + endless * 100_000, REFS), AnswerError)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("wrapped", ["```json\n{}\n```", "Here you are:\n{}\nBye", "  {}  ", "```\n{}```"])
def test_an_object_is_found_inside_its_wrapping(wrapped: str) -> None:
    read = read_answer(wrapped.replace("{}", '{"summary": "ok {1}"}'), REFS)
    assert isinstance(read, Answer)
    assert read.summary == "ok {1}"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("x" * 500_000, "too_large"),
        ("I cannot help", "not_json"),
        ('{"summary": "cut o', "not_json"),
        ("[" * 100_000, "not_json"),
        ('{"a":' * 50_000, "not_json"),
        ("[1, 2]", "not_object"),
        ('"text"', "not_object"),
        ("1" * 6_000, "not_json"),
        ("{}", "no_content"),
        ('{"summary": 5, "findings": "x", "managers": {"a": 1}}', "no_content"),
    ],
)
def test_what_cannot_be_used_has_a_code(text: str, code: str) -> None:
    assert read_answer(text, REFS) == AnswerError(code)  # type: ignore[arg-type]


@given(JSON | st.text(max_size=60))
def test_no_shape_of_answer_raises(data: object) -> None:
    read = read_answer(json.dumps(data), REFS)
    if isinstance(read, Answer):
        assert all(set(item.evidence) <= REFS and item.evidence for item in (*read.findings, *read.managers))


@given(JSON)
def test_an_answer_survives_its_json(data: object) -> None:
    read = read_answer(json.dumps({"summary": "s", "findings": [finding("d1m1"), data]}), REFS)
    assert isinstance(read, Answer)
    assert Answer.from_json(json.loads(json.dumps(read.to_json()))) == read


def test_texts_lose_links_and_hidden_characters() -> None:
    read = answer(summary="![p](https://evil/?d=1) see [here](https://evil.kz)\u202e and\x00 evil.kz/x @evil_bot")
    assert read.summary == "see here and  evil_bot"


def test_lengths_are_limited() -> None:
    many = [finding("d1m1", text=f"{place} " + "x" * 1_500) for place in range(200)]
    read = answer(summary="y" * 50_000, findings=many)
    assert len(read.summary) == 4_000
    assert len(read.findings) == 60
    assert len(read.findings[0].text) == 1_000


def test_the_schema_asks_for_every_part() -> None:
    assert ANSWER_SCHEMA["required"] == list(ANSWER_SCHEMA["properties"])
