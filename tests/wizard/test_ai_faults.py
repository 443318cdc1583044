"""What can go wrong between Synkro and an AI, and what a person is told then."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from flask_babel import force_locale

from synkro.integrations import http
from synkro.models.states import RunStatus, StepStatus
from synkro.sandbox import openai, openai_answer
from synkro.services import checks, integrations
from synkro.services.integrations import find
from synkro.services.wording import sentence
from synkro.tenancy import tenant_scope
from tests.practice import Practice

READ_SECONDS = 0.3


Order = dict[str, Any]
Fault = tuple[str, Order, str, str]


def _gemini(happens: str, fault: str, colour: str, code: str, **how: Any) -> Fault:
    return f"Gemini: {happens}", {"fault": fault, "times": -1, **how}, colour, code


def _openai(happens: str, fault: str, colour: str, code: str, **how: Any) -> Fault:
    return f"{OPENAI}{happens}", {"fault": fault, "times": -1, **how}, colour, code


def _saved(vendor: str, happens: str, colour: str, code: str, **settings: str) -> Fault:
    return f"{vendor}{happens}", {"settings": settings}, colour, code


OPENAI = "OpenAI-compatible: "
GENERATE, COMPLETE = ":generateContent", "/chat/completions"
LATE = READ_SECONDS + 0.3

FAULTS: list[Fault] = [
    _gemini("Google does not know the key", "key_invalid", "red", "ai_key_invalid"),
    _gemini("the key became public and was blocked", "key_leaked", "red", "ai_key_leaked"),
    _gemini("a key of a kind that this API does not take", "key_not_accepted", "red", "ai_key_kind"),
    _gemini("Google does not serve the country of the server", "geo", "red", "ai_location"),
    _gemini("the key may list models but not ask them", "key_list_only", "red", "ai_no_rights"),
    _saved("Gemini: ", "no model is chosen", "red", "ai_choose_model", model=""),
    _saved("Gemini: ", "the chosen model is no longer offered", "yellow", "ai_model_gone", model="gemini-2.0-flash"),
    _gemini("too many requests in this minute", "429_minute", "red", "busy"),
    _gemini("too many requests, without a word on how long", "429_bare", "red", "busy"),
    _gemini("the quota of the day is used up", "429_day", "yellow", "ai_day_quota"),
    _gemini("the answer is blocked by the content rules", "SAFETY", "yellow", "ai_odd_answer"),
    _gemini("the question is blocked by the content rules", "prompt_blocked", "yellow", "ai_odd_answer"),
    _gemini("an answer without text", "empty_stop", "yellow", "ai_odd_answer"),
    _gemini("thinking uses up the whole answer", "MAX_TOKENS_no_parts", "yellow", "ai_odd_answer"),
    _gemini("an end for a reason that nobody knows yet", "NEW_REASON", "yellow", "ai_odd_answer"),
    _gemini("an error inside the model", "internal", "red", "server_error"),
    _gemini("the model is overloaded", "unavailable", "red", "server_error"),
    _gemini("the model did not finish in time", "deadline", "red", "server_error"),
    _gemini("a gateway answers with an error page", "502_html", "red", "server_error"),
    _gemini("a page instead of JSON", "html", "red", "not_json"),
    _gemini("JSON that breaks off", "broken_json", "red", "not_json"),
    _gemini("an empty answer", "empty", "red", "not_json", path=GENERATE),
    _gemini("no answer in time", "slow", "red", "too_slow", path=GENERATE, seconds=LATE),
    _gemini("the connection breaks before the answer", "drop_after", "red", "unreachable", path=GENERATE),
    _openai("the server does not know the key", "key_invalid", "red", "ai_server_key"),
    _openai("the server does not serve the country of ours", "country", "red", "ai_server_country"),
    _openai("there is no API under the address", "wrong_path", "red", "ai_server_no_api"),
    _saved(OPENAI, "the host is not approved", "red", "ai_host_not_approved", base_url="https://ai.example.com/v1"),
    _saved(
        OPENAI,
        "the address is no https address of a public name",
        "red",
        "ai_address_form",
        base_url="https://10.0.0.1/v1",
    ),
    _openai("the key may list models but not ask them", "key_list_only", "red", "ai_server_rights"),
    _saved(OPENAI, "no model is chosen", "red", "ai_choose_model", model=""),
    _saved(OPENAI, "the chosen model is not in the list", "yellow", "ai_model_gone", model="gone"),
    _openai("the model is listed but not there", "model_gone", "yellow", "ai_model_gone"),
    _openai("no money (402)", "unpaid", "red", "ai_server_unpaid"),
    _openai("no money (429 insufficient_quota)", "429_quota", "red", "ai_server_unpaid"),
    _openai("too many requests in this minute", "429_rate", "red", "busy"),
    _openai("too many requests, without a word on how long", "429_bare", "red", "busy"),
    _openai("the quota of the day is used up", "429_day", "yellow", "ai_server_quota"),
    _openai("our request is refused", "rejected", "red", "ai_server_rejected"),
    _openai("the answer is blocked by the content rules", "content_filter", "yellow", "ai_odd_answer"),
    _openai("the question is blocked by the content rules", "prompt_blocked", "yellow", "ai_odd_answer"),
    _openai("the model declines to answer", "refusal", "yellow", "ai_odd_answer"),
    _openai("an answer without text", "empty_stop", "yellow", "ai_odd_answer"),
    _openai("no answer among the choices", "empty_choices", "yellow", "ai_odd_answer"),
    _openai("thinking uses up the whole answer", "length_no_text", "yellow", "ai_odd_answer"),
    _openai("an end for a reason that nobody knows yet", "NEW_REASON", "yellow", "ai_odd_answer"),
    _openai("a router reports an error with status 200", "error_inside", "red", "server_error"),
    _openai("an error inside the server", "internal", "red", "server_error"),
    _openai("the model is overloaded", "overloaded", "red", "server_error"),
    _openai("a gateway answers with an error page", "502_html", "red", "server_error"),
    _openai("a page instead of JSON", "html", "red", "not_json"),
    _openai("JSON that breaks off", "broken_json", "red", "not_json"),
    _openai("an empty answer", "empty", "red", "not_json", path=COMPLETE),
    _openai("a list of models of fifty megabytes", "huge", "red", "too_large"),
    _openai("no answer in time", "slow", "red", "too_slow", path=COMPLETE, seconds=LATE),
    _openai("the connection breaks before the answer", "drop_after", "red", "unreachable", path=COMPLETE),
]
"""What happens, how the stand-in is told to do it (or what is saved instead), the colour and the code of the check."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between the requests of a call, a third of a second of patience."""
    monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: None))
    monkeypatch.setattr(http, "_timeouts", lambda *_: (READ_SECONDS, READ_SECONDS))


def connect_openai(practice: Practice) -> None:
    """As a person does it: the address, the key and the model of a server that may be called."""
    with tenant_scope(practice.tenant.id):
        address, key = f"{practice.urls['openai']}/v1", practice.world.keys.openai_key
        integrations.save("ai", {"provider": "openai", "base_url": address, "api_key": key, "model": "practice-large"})


def checked(practice: Practice) -> tuple[str, str, str]:
    """Colour, code and sentence of a check by a worker."""
    with tenant_scope(practice.tenant.id):
        checks.run("ai")
        config = find("ai")
        assert config is not None
        with force_locale("en"):
            return (
                config.check_colour or "",
                config.check_code or "",
                sentence(config.check_code or "", config.check_params),
            )


@pytest.mark.parametrize(("happens", "how", "colour", "code"), FAULTS, ids=[row[0] for row in FAULTS])
def test_a_fault_has_its_colour_and_its_words(
    practice: Practice, happens: str, how: Order, colour: str, code: str
) -> None:
    vendor = "openai" if happens.startswith(OPENAI) else "gemini"
    if vendor == "openai":
        connect_openai(practice)
    if "fault" in how:
        practice.control(vendor, **how)
    if typed := how.get("settings"):
        with tenant_scope(practice.tenant.id):
            integrations.save("ai", {**typed, **({"api_key": "k"} if "base_url" in typed else {})})
    found = checked(practice)
    assert found[:2] == (colour, code)
    assert re.fullmatch(r"[^%]{10,}\.", found[2])


@pytest.mark.parametrize("vendor", ["gemini", "openai"])
def test_without_a_fault_the_check_is_green(practice: Practice, vendor: str) -> None:
    if vendor == "openai":
        connect_openai(practice)
    assert checked(practice)[:2] == ("green", "ai_ok")


def test_a_host_that_nobody_agreed_to_is_not_called(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []
    monkeypatch.setattr("socket.getaddrinfo", lambda *where, **_: called.append(where))
    with tenant_scope(practice.tenant.id):
        base = {"provider": "openai", "base_url": "https://ai.example.com/v1", "api_key": "k"}
        integrations.save("ai", base)
        client_error = checks.run("ai")
    assert (client_error.code, client_error.params) == ("ai_host_not_approved", {"host": "ai.example.com"})
    assert [where for where in called if "ai.example.com" in str(where)] == []


@pytest.mark.parametrize("faults", [(), ("no_schema", "no_json", "no_limit")])
def test_a_run_with_a_server_of_openais_kind_ends_green(practice: Practice, faults: tuple[str, ...]) -> None:
    connect_openai(practice)
    for fault in faults:
        practice.control("openai", fault=fault, times=-1)
    run = practice.run()
    _, steps = practice.state(run.id)
    assert run.status == RunStatus.SUCCEEDED
    assert [(step.status, step.colour, step.code) for step in steps] == [(StepStatus.DONE, "green", None)] * 8
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
    assert checked(practice)[0] == "green"
    with tenant_scope(practice.tenant.id):
        integrations.save("ai", {"provider": "openai", "base_url": f"{practice.urls['openai']}/v1"})
        secrets, shown, offered = kept(practice)
        assert (secrets, "model" in shown, offered) == (set(), False, False)
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
        assert (secrets, shown["model"]) == ({"api_key"}, "gemini-3.8-flash")


def test_an_address_is_needed_only_where_there_is_a_choice_of_servers(practice: Practice) -> None:
    with tenant_scope(practice.tenant.id):
        assert integrations.is_connected("ai")
        integrations.save("ai", {"provider": "openai", "api_key": "k"})
        assert not integrations.is_connected("ai")
