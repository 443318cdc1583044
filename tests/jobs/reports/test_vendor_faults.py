"""Faults that one vendor has of its own, from amoCRM to the AI: each ends in its colour and code."""

from __future__ import annotations

from typing import Any

import pytest

from synkro.integrations.ai.gemini import errors as gemini_errors
from synkro.models.plan import StepKey
from synkro.models.states import ReportStatus, RunStatus
from synkro.services.reports import reports
from synkro.services.shared.wording import remarks
from synkro.tenancy import tenant_scope
from tests.support.faulty_runs import assert_red, assert_told, assert_yellow, ran
from tests.support.faulty_runs import quick as quick  # noqa: PLC0414 (a fixture)
from tests.support.practice import Practice

AMOCRM = [
    ({"revoked": True}, "amocrm_reconnect"),  # 401
    ({"paid": False}, "amocrm_unpaid"),  # 402
    ({"token_rights": "none"}, "amocrm_no_rights"),  # 403 in JSON
    ({"rps": 1, "block_after_429": 1}, "amocrm_blocked"),  # 403 as a page
    ({"slow_above_limit": 10}, "amocrm_too_much"),  # 504 whatever the size of the page
]


@pytest.mark.parametrize(("knobs", "code"), AMOCRM)
def test_amocrm_refuses(practice: Practice, knobs: dict[str, Any], code: str) -> None:
    practice.control("amocrm", set=knobs)
    assert_red(practice, StepKey.FETCH_AMOCRM, code)


def test_amocrm_takes_an_access_token_for_too_old(practice: Practice) -> None:
    practice.control("amocrm", fault="expire_token")
    assert_red(practice, StepKey.FETCH_AMOCRM, "amocrm_reconnect")


@pytest.mark.parametrize(
    "knobs",
    [
        {"token_rights": "own", "last_page": "next_then_204"},
        {"contacts_not_embedded": True, "mutate_while_paging": True},
    ],
)
def test_what_amocrm_may_do_otherwise_is_no_fault(practice: Practice, knobs: dict[str, Any]) -> None:
    practice.control("amocrm", set=knobs)
    run, steps = ran(practice)
    assert run.status == RunStatus.SUCCEEDED
    assert steps[StepKey.FETCH_AMOCRM].colour == "green"


@pytest.mark.parametrize(
    ("knobs", "notice"),
    [({"filter_on": False}, "amocrm_filter_off"), ({"token_rights": "external"}, "amocrm_managers_hidden")],
)
def test_what_people_should_know_of_amocrm_is_told(practice: Practice, knobs: dict[str, Any], notice: str) -> None:
    practice.control("amocrm", set=knobs)
    _, steps = ran(practice)
    first = steps[StepKey.FETCH_AMOCRM]
    assert first.colour == "green"
    assert first.params["notices"] == [notice]
    assert remarks(first.code, first.params)


RADIST = [
    ({"revoked": True}, "radist_key_refused"),  # 401
    ({"scopes": []}, "radist_no_rights"),  # 403
    ({"busy_every": 1, "retry_after": 9_999_999}, "busy"),  # 429 with a wait of months
]


@pytest.mark.parametrize(("knobs", "code"), RADIST)
def test_radist_refuses(practice: Practice, knobs: dict[str, Any], code: str) -> None:
    practice.control("radist", set=knobs)
    assert_red(practice, StepKey.FETCH_RADIST, code)


@pytest.mark.parametrize(
    "knobs",
    [
        {"busy_every": 3, "unknown_type": "hologram", "naive_timestamps": True},
        {"wrap": "bare", "ties": 10, "order": "oldest", "page_cap": 7},
    ],
)
def test_what_radist_may_do_otherwise_is_no_fault(practice: Practice, knobs: dict[str, Any]) -> None:
    practice.control("radist", set=knobs)
    run, steps = ran(practice)
    assert run.status == RunStatus.SUCCEEDED
    assert steps[StepKey.FETCH_RADIST].colour == "green"


SUPABASE = {
    "402": "supabase_restricted",
    "540": "supabase_paused",
    "544": "server_error",
    "57014": "supabase_slow",
    "40P01": "server_error",
    "25006": "supabase_read_only",
    "PGRST002": "server_error",
    "PGRST003": "server_error",
    "stale_cache": "supabase_no_tables",
    "no_grant": "supabase_no_grants",
    "read_only_key": "supabase_no_grants",
}


@pytest.mark.parametrize(("fault", "code"), SUPABASE.items())
def test_supabase_refuses(practice: Practice, fault: str, code: str) -> None:
    practice.control("supabase", fault=fault, path="/synkro_leads", times=-1)
    assert_red(practice, StepKey.WRITE_LEADS, code)


def test_a_table_of_an_older_version_is_told(practice: Practice) -> None:
    practice.control("supabase", fault="stale_cache", path="/synkro_leads", value="price", times=-1)
    assert_red(practice, StepKey.WRITE_LEADS, "supabase_schema_old")


def test_supabase_pauses_before_the_report_is_saved(practice: Practice) -> None:
    practice.control("supabase", fault="540", path="/synkro_reports", times=-1)
    assert_red(practice, StepKey.PERSIST_REPORT, "supabase_paused")
    assert practice.sent() == []


GEMINI = {
    "key_invalid": "ai_key_invalid",
    "key_leaked": "ai_key_leaked",
    "key_not_accepted": "ai_key_kind",
    "geo": "ai_location",
    "key_list_only": "ai_no_rights",
    "429_minute": "busy",
    "429_day": "ai_day_quota",
    "MAX_TOKENS": "ai_bad_answer",
    "SAFETY": "ai_blocked",
    "NEW_REASON": "ai_bad_answer",
    "empty_stop": "ai_bad_answer",
    "not_json": "ai_bad_answer",
}


@pytest.mark.parametrize(("fault", "code"), GEMINI.items())
def test_without_the_model_the_report_has_figures_and_says_why(practice: Practice, fault: str, code: str) -> None:
    practice.control("gemini", fault=fault, times=-1)
    run, steps = ran(practice)
    assert run.status == RunStatus.SUCCEEDED
    assert_told(steps[StepKey.ANALYSE], "yellow", code)
    with tenant_scope(practice.tenant.id):
        report = reports.find(reports.id_for(run.id))
        assert report is not None
        assert report.status == ReportStatus.FIGURES_ONLY
        body = reports.body(report)
    assert body is not None
    assert "%(" not in body.text
    assert len(practice.sent()) == 1


def test_a_quota_that_returns_tomorrow_is_not_waited_for(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gemini_errors, "seconds_to_new_day", lambda _: 10 * 3600.0)  # whatever time it is now
    practice.control("gemini", fault="429_day", times=-1)
    _, steps = ran(practice)
    assert steps[StepKey.ANALYSE].attempts == 1


@pytest.mark.parametrize("fault", ["two_parts", "no_evidence", "inject_link"])
def test_odd_answers_of_the_model_are_taken_for_what_they_are(practice: Practice, fault: str) -> None:
    practice.control("gemini", fault=fault, times=-1)
    run, steps = ran(practice)
    assert run.status == RunStatus.SUCCEEDED
    assert steps[StepKey.ANALYSE].colour == "green"


def test_references_that_the_model_invents_are_dropped_and_told(practice: Practice) -> None:
    practice.control("gemini", fault="invent_refs", times=-1)
    assert_yellow(practice, StepKey.ANALYSE, "refs_dropped")
