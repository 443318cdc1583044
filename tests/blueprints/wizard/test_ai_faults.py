"""What can go wrong between Synkro and an AI, and what a person is told then."""

from __future__ import annotations

from typing import Any

import pytest

from synkro.models.plan import PLAN
from synkro.models.states import RunStatus, StepStatus
from synkro.sandbox.openai import answer as openai_answer
from synkro.sandbox.openai import app as openai
from synkro.services.connections import checks, integrations
from synkro.services.connections.integrations import find
from synkro.tenancy import tenant_scope
from tests.support.clocks import LATE_SECONDS
from tests.support.faults import Fault
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.seeing import assert_plain, seen


def _meets(what: str, fault: str, colour: str, code: str, **how: Any) -> Fault:
    return Fault(what, {"fault": fault, "times": -1, **how}, colour, code)


def _saved(what: str, colour: str, code: str, **settings: str) -> Fault:
    return Fault(what, {"settings": settings}, colour, code)


GENERATE, COMPLETE = ":generateContent", "/chat/completions"

GEMINI_FAULTS: list[Fault] = [
    _meets("Google does not know the key", "key_invalid", "red", "ai_key_invalid"),
    _meets("the key became public and was blocked", "key_leaked", "red", "ai_key_leaked"),
    _meets("a key of a kind that this API does not take", "key_not_accepted", "red", "ai_key_kind"),
    _meets("Google does not serve the country of the server", "geo", "red", "ai_location"),
    _meets("the key may list models but not ask them", "key_list_only", "red", "ai_no_rights"),
    _saved("no model is chosen", "red", "ai_choose_model", model=""),
    _saved("the chosen model is no longer offered", "yellow", "ai_model_gone", model="gemini-2.0-flash"),
    _meets("too many requests in this minute", "429_minute", "red", "busy"),
    _meets("too many requests, without a word on how long", "429_bare", "red", "busy"),
    _meets("the quota of the day is used up", "429_day", "yellow", "ai_day_quota"),
    _meets("the answer is blocked by the content rules", "SAFETY", "yellow", "ai_odd_answer"),
    _meets("the question is blocked by the content rules", "prompt_blocked", "yellow", "ai_odd_answer"),
    _meets("an answer without text", "empty_stop", "yellow", "ai_odd_answer"),
    _meets("thinking uses up the whole answer", "MAX_TOKENS_no_parts", "yellow", "ai_odd_answer"),
    _meets("an end for a reason that nobody knows yet", "NEW_REASON", "yellow", "ai_odd_answer"),
    _meets("the answer repeats a protected text", "RECITATION", "yellow", "ai_odd_answer"),
    _meets("an end for another reason", "OTHER", "yellow", "ai_odd_answer"),
    _meets("the project of the key has no billing", "billing", "red", "ai_billing"),
    _meets("an answer without end", "huge", "red", "too_large"),
    _meets("an error inside the model", "internal", "red", "server_error"),
    _meets("the model is overloaded", "unavailable", "red", "server_error"),
    _meets("the model did not finish in time", "deadline", "red", "server_error"),
    _meets("a gateway answers with an error page", "502_html", "red", "server_error"),
    _meets("a page instead of JSON", "html", "red", "not_json"),
    _meets("JSON that breaks off", "broken_json", "red", "not_json"),
    _meets("an empty answer", "empty", "red", "not_json", path=GENERATE),
    _meets("no answer in time", "slow", "red", "too_slow", path=GENERATE, seconds=LATE_SECONDS),
    _meets("the connection breaks before the answer", "drop_after", "red", "unreachable", path=GENERATE),
]
OPENAI_FAULTS: list[Fault] = [
    _meets("the server does not know the key", "key_invalid", "red", "ai_server_key"),
    _meets("the server does not serve the country of ours", "country", "red", "ai_server_country"),
    _meets("there is no API under the address", "wrong_path", "red", "ai_server_no_api"),
    _saved("the host is not approved", "red", "ai_host_not_approved", base_url="https://ai.example.com/v1"),
    _saved(
        "the address is no https address of a public name",
        "red",
        "ai_address_form",
        base_url="https://10.0.0.1/v1",
    ),
    _meets("the key may list models but not ask them", "key_list_only", "red", "ai_server_rights"),
    _saved("no model is chosen", "red", "ai_choose_model", model=""),
    _saved("the chosen model is not in the list", "yellow", "ai_model_gone", model="gone"),
    _meets("the model is listed but not there", "model_gone", "yellow", "ai_model_gone"),
    _meets("no money (402)", "unpaid", "red", "ai_server_unpaid"),
    _meets("no money (429 insufficient_quota)", "429_quota", "red", "ai_server_unpaid"),
    _meets("too many requests in this minute", "429_rate", "red", "busy"),
    _meets("too many requests, without a word on how long", "429_bare", "red", "busy"),
    _meets("the quota of the day is used up", "429_day", "yellow", "ai_server_quota"),
    _meets("our request is refused", "rejected", "red", "ai_server_rejected"),
    _meets("the answer is blocked by the content rules", "content_filter", "yellow", "ai_odd_answer"),
    _meets("the question is blocked by the content rules", "prompt_blocked", "yellow", "ai_odd_answer"),
    _meets("the model declines to answer", "refusal", "yellow", "ai_odd_answer"),
    _meets("an answer without text", "empty_stop", "yellow", "ai_odd_answer"),
    _meets("no answer among the choices", "empty_choices", "yellow", "ai_odd_answer"),
    _meets("thinking uses up the whole answer", "length_no_text", "yellow", "ai_odd_answer"),
    _meets("an end for a reason that nobody knows yet", "NEW_REASON", "yellow", "ai_odd_answer"),
    _meets("a router reports an error with status 200", "error_inside", "red", "server_error"),
    _meets("an error inside the server", "internal", "red", "server_error"),
    _meets("the model is overloaded", "overloaded", "red", "server_error"),
    _meets("a gateway answers with an error page", "502_html", "red", "server_error"),
    _meets("a page instead of JSON", "html", "red", "not_json"),
    _meets("JSON that breaks off", "broken_json", "red", "not_json"),
    _meets("an empty answer", "empty", "red", "not_json", path=COMPLETE),
    _meets("a list of models of fifty megabytes", "huge", "red", "too_large"),
    _meets("no answer in time", "slow", "red", "too_slow", path=COMPLETE, seconds=LATE_SECONDS),
    _meets("the connection breaks before the answer", "drop_after", "red", "unreachable", path=COMPLETE),
]
FAULTS = [("gemini", fault) for fault in GEMINI_FAULTS] + [("openai", fault) for fault in OPENAI_FAULTS]

pytestmark = pytest.mark.usefixtures("impatient")


def connect_openai(practice: Practice) -> None:
    """As a person does it: the address, the key and the model of a server that may be called."""
    with tenant_scope(practice.tenant.id):
        address, key = f"{practice.urls['openai']}/v1", practice.world.keys.openai_key
        integrations.save("ai", {"provider": "openai", "base_url": address, "api_key": key, "model": "practice-large"})


@pytest.mark.parametrize(("vendor", "fault"), FAULTS, ids=str)
def test_a_fault_has_its_colour_and_its_words(practice: Practice, vendor: str, fault: Fault) -> None:
    if vendor == "openai":
        connect_openai(practice)
    if fault.order:
        practice.control(vendor, **fault.order)
    if typed := fault.typed:
        with tenant_scope(practice.tenant.id):
            integrations.save("ai", {**typed, **({"api_key": "k"} if "base_url" in typed else {})})
    found = seen(practice, "ai")
    assert_has(found, colour=fault.colour, code=fault.code)
    assert_plain(found.sentence)


@pytest.mark.parametrize("vendor", ["gemini", "openai"])
def test_without_a_fault_the_check_is_green(practice: Practice, vendor: str) -> None:
    if vendor == "openai":
        connect_openai(practice)
    assert_has(seen(practice, "ai"), colour="green", code="ai_ok")


def test_a_host_that_nobody_agreed_to_is_not_called(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []
    monkeypatch.setattr("socket.getaddrinfo", lambda *where, **_: called.append(where))
    with tenant_scope(practice.tenant.id):
        base = {"provider": "openai", "base_url": "https://ai.example.com/v1", "api_key": "k"}
        integrations.save("ai", base)
        client_error = checks.run("ai")
    assert_has(client_error, code="ai_host_not_approved", params={"host": "ai.example.com"})
    assert [where for where in called if "ai.example.com" in str(where)] == []


@pytest.mark.parametrize("faults", [(), ("no_schema", "no_json", "no_limit")])
def test_a_run_with_a_server_of_openais_kind_ends_green(practice: Practice, faults: tuple[str, ...]) -> None:
    connect_openai(practice)
    for fault in faults:
        practice.control("openai", fault=fault, times=-1)
    run = practice.run()
    _, steps = practice.state(run.id)
    assert run.status == RunStatus.SUCCEEDED
    assert [(step.status, step.colour, step.code) for step in steps] == [(StepStatus.DONE, "green", None)] * len(PLAN)
    assert practice.look("gemini", "/__bodies") == []
    assert len(practice.sent()) == 1


def test_where_nobody_counts_tokens_our_estimate_keeps_to_the_limit(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect_openai(practice)
    practice.run()
    (whole,) = practice.look("openai", "/__bodies")
    limit = openai_answer.spent(whole) // 2
    monkeypatch.setitem(openai.MODELS["practice-large"], "context_length", limit)
    run = practice.run()
    sent = [openai_answer.spent(body) for body in practice.look("openai", "/__bodies")[1:]]
    assert run.status == RunStatus.SUCCEEDED
    assert len(sent) >= 2
    assert max(sent) <= limit


# --- settings: a key belongs to the place it was given for ---


def kept(practice: Practice) -> tuple[set[str], dict[str, str], bool]:
    """Names of the kept secrets, what is shown, and whether choices are offered."""
    config = find("ai")
    assert config is not None
    return set(config.secrets), dict(config.settings), bool(config.offers)


def test_a_key_of_one_provider_is_never_sent_to_another(practice: Practice) -> None:
    assert seen(practice, "ai")[0] == "green"
    with tenant_scope(practice.tenant.id):
        integrations.save("ai", {"provider": "openai", "base_url": f"{practice.urls['openai']}/v1"})
        secrets, shown, offered = kept(practice)
        assert secrets == set()
        assert "model" not in shown
        assert offered is False
        assert not integrations.is_connected("ai")
    assert practice.look("openai", "/__requests") == []


def test_a_new_address_needs_the_key_once_more(practice: Practice) -> None:
    connect_openai(practice)
    with tenant_scope(practice.tenant.id):
        integrations.save("ai", {"base_url": "https://elsewhere.example.com/v1", "api_key": ""})
        assert kept(practice)[0] == set()


def test_the_same_address_written_otherwise_keeps_the_key(practice: Practice) -> None:
    connect_openai(practice)
    with tenant_scope(practice.tenant.id):
        integrations.save("ai", {"base_url": f"{practice.urls['openai']}/v1/chat/completions", "api_key": ""})
        assert kept(practice)[0] == {"api_key"}


def test_a_provider_that_was_meant_all_along_is_no_other_place(practice: Practice) -> None:
    with tenant_scope(practice.tenant.id):
        integrations.save("ai", {"provider": ""})
        integrations.save("ai", {"provider": "gemini", "api_key": ""})
        secrets, shown, _ = kept(practice)
        assert secrets == {"api_key"}
        assert shown["model"] == "gemini-3.8-flash"


def test_an_address_is_needed_only_where_there_is_a_choice_of_servers(practice: Practice) -> None:
    with tenant_scope(practice.tenant.id):
        assert integrations.is_connected("ai")
        integrations.save("ai", {"provider": "openai", "api_key": "k"})
        assert not integrations.is_connected("ai")
