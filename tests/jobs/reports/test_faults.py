"""Every fault of a vendor ends in a colour, a code and a plain sentence: never in a trace, an endless run or a false
green."""

from __future__ import annotations

import pytest

from synkro.models.plan import StepKey
from synkro.models.states import RunStatus
from synkro.services.connections import integrations
from synkro.tenancy import db, tenant_scope
from tests.support.clocks import LATE_SECONDS
from tests.support.faulty_runs import assert_red, assert_told, assert_yellow, ran
from tests.support.faulty_runs import quick as quick  # noqa: PLC0414 (a fixture)
from tests.support.practice import Practice

SPOTS = {
    "amocrm": (StepKey.FETCH_AMOCRM, "/api/v4/leads"),
    "radist": (StepKey.FETCH_RADIST, "/with_contacts"),
    "supabase": (StepKey.WRITE_LEADS, "/synkro_leads"),
    "gemini": (StepKey.ANALYSE, ":generateContent"),
    "telegram": (StepKey.NOTIFY_TELEGRAM, "/sendMessage"),
}
"""Where the faults that all vendors share are met: the step and the call."""

SHARED = {
    "500": "server_error",
    "502_html": "server_error",
    "429": "busy",
    "slow": "too_slow",
    "drop": "unreachable",
    "drop_after": "unreachable",
    "broken_json": "not_json",
    "html": "not_json",
    "empty": "not_json",
}
OWN_WORDS = {
    **{("supabase", fault): "unexpected_shape" for fault in ("broken_json", "html", "empty")},
    **{("telegram", fault): "telegram_unknown" for fault in SHARED if fault not in ("500", "502_html", "429")},
}
"""Supabase answers a write with a count in a header, not with JSON. Telegram's lost answer is no failure."""


@pytest.mark.parametrize("fault", SHARED)
@pytest.mark.parametrize("vendor", SPOTS)
def test_a_fault_that_lasts(practice: Practice, vendor: str, fault: str) -> None:
    key, path = SPOTS[vendor]
    practice.control(vendor, fault=fault, path=path, times=-1, seconds=LATE_SECONDS)
    code = OWN_WORDS.get((vendor, fault), SHARED[fault])
    if vendor == "gemini" or code == "telegram_unknown":
        assert_yellow(practice, key, code)
    else:
        assert_red(practice, key, code)


@pytest.mark.parametrize("vendor", SPOTS)
def test_a_fault_that_passes_leaves_no_trace(practice: Practice, vendor: str) -> None:
    for fault in ("502_html", "429"):
        practice.control(vendor, fault=fault, path=SPOTS[vendor][1])
    run, steps = ran(practice)
    assert run.status == RunStatus.SUCCEEDED
    assert {step.colour for step in steps.values()} == {"green"}
    assert len(practice.sent()) == 1


NOT_CONNECTED = {
    "amocrm": (StepKey.FETCH_AMOCRM, RunStatus.FAILED),
    "supabase": (StepKey.WRITE_LEADS, RunStatus.FAILED),
    "radist": (StepKey.FETCH_RADIST, RunStatus.FAILED),
    "ai": (StepKey.ANALYSE, RunStatus.SUCCEEDED),
    "telegram": (StepKey.NOTIFY_TELEGRAM, RunStatus.SUCCEEDED),
}


@pytest.mark.parametrize(("kind", "place"), NOT_CONNECTED.items())
def test_a_service_that_is_not_connected_is_named(
    practice: Practice, kind: str, place: tuple[StepKey, RunStatus]
) -> None:
    key, status = place
    with tenant_scope(practice.tenant.id):
        db.session.delete(integrations.find(kind))
        db.session.commit()
    run, steps = ran(practice)
    assert run.status == status
    assert steps[key].attempts == 1
    assert_told(steps[key], "red" if status == RunStatus.FAILED else "yellow", f"{kind}_not_connected")


WRONG_SETTINGS = [
    ("radist", {"company_id": "999"}, StepKey.FETCH_RADIST, "red", "radist_company_elsewhere"),
    ("ai", {"model": "gemini-0-none"}, StepKey.ANALYSE, "yellow", "ai_model_gone"),  # 404
    ("ai", {"api_key": "wrong"}, StepKey.ANALYSE, "yellow", "ai_key_invalid"),
    ("radist", {"api_key": "wrong"}, StepKey.FETCH_RADIST, "red", "radist_key_refused"),
    ("telegram", {"chat_id": "-5"}, StepKey.NOTIFY_TELEGRAM, "red", "telegram_no_chat"),
    ("telegram", {"chat_id": "our group"}, StepKey.NOTIFY_TELEGRAM, "red", "telegram_chat_form"),
    ("telegram", {"chat_id": ""}, StepKey.NOTIFY_TELEGRAM, "yellow", "telegram_choose_chat"),
    ("supabase", {"secret_key": "sb_secret_wrong"}, StepKey.WRITE_LEADS, "red", "supabase_key_refused"),
    ("supabase", {"url": "http://10.0.0.1"}, StepKey.WRITE_LEADS, "red", "supabase_url_form"),
]


@pytest.mark.parametrize(("kind", "values", "key", "colour", "code"), WRONG_SETTINGS)
def test_wrong_settings_are_named(
    practice: Practice, kind: str, values: dict[str, str], key: StepKey, colour: str, code: str
) -> None:
    with tenant_scope(practice.tenant.id):
        integrations.save(kind, practice.typed(kind) | values)
    _, steps = ran(practice)
    assert_told(steps[key], colour, code)


@pytest.mark.parametrize("vendor", ["amocrm", "supabase"])
def test_keys_that_no_longer_open_are_told(practice: Practice, vendor: str) -> None:
    with tenant_scope(practice.tenant.id):
        config = integrations.find(vendor)
        assert config is not None
        config.secrets = dict.fromkeys(config.secrets, "v1.00000000.AAAA")
        db.session.commit()
    assert_red(practice, SPOTS[vendor][0], "keys_unreadable")
