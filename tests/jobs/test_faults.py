"""Every fault of a vendor ends in a colour, a code and a plain sentence: never in a trace, an endless run or a false
green."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask_babel import force_locale
from sqlalchemy import select

from synkro.integrations import gemini_errors
from synkro.jobs import runtime
from synkro.models import Delivery, JobRun, JobStep
from synkro.models.plan import BY_KEY, PLAN, StepKey
from synkro.models.states import ACTIVE_RUN, DeliveryStatus, ReportStatus, RunStatus
from synkro.services.connections import integrations
from synkro.services.reporting import reports, runs
from synkro.services.wording import remarks
from synkro.tenancy import db, tenant_scope
from tests.clocks import LATE_SECONDS, Standing
from tests.practice import Practice

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


@pytest.fixture(autouse=True)
def quick(impatient: None, standing: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Besides, two tries of each step."""
    for plan in PLAN:
        monkeypatch.setitem(BY_KEY, plan.key, replace(plan, waits=(1,)))


def worked_out(practice: Practice, run_id: uuid.UUID) -> tuple[JobRun, dict[str, JobStep]]:
    """The run when it has ended, its steps by key. What waits is hurried."""
    for _ in range(20):
        run, rows = practice.state(run_id)
        if run.status not in ACTIVE_RUN:
            return run, {step.key: step for step in rows}
        waiting = next(step for step in rows if step.status == "ready")
        with tenant_scope(practice.tenant.id):
            runs.steps_of(run_id)[waiting.n - 1].ready_at = datetime.now(UTC)
            db.session.commit()
        runtime.work(str(practice.tenant.id), str(run_id), waiting.key)
    pytest.fail("the run does not end")


def ran(practice: Practice) -> tuple[JobRun, dict[str, JobStep]]:
    return worked_out(practice, practice.start())


def assert_told(step: JobStep, colour: str, code: str) -> None:
    """The colour and the code, and a whole sentence in Russian without a word of the machine."""
    assert (step.colour, step.code) == (colour, code)
    with force_locale("ru"):
        said = remarks(step.code, step.params)
    assert re.match(r"(amoCRM|[А-ЯA-Z]).*[.\d]$", said), said
    assert not re.search(r"%\(|Traceback|Error|127\.0\.0\.1", said), said
    assert said != code


def assert_red(practice: Practice, key: StepKey, code: str) -> None:
    run, steps = ran(practice)
    assert (run.status, run.code, steps[key].status) == (RunStatus.FAILED, code, "failed")
    assert_told(steps[key], "red", code)


def assert_yellow(practice: Practice, key: StepKey, code: str) -> None:
    run, steps = ran(practice)
    assert (run.status, steps[key].status) == (RunStatus.SUCCEEDED, "done")
    assert_told(steps[key], "yellow", code)


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
    assert (run.status, steps[StepKey.FETCH_AMOCRM].colour) == (RunStatus.SUCCEEDED, "green")


@pytest.mark.parametrize(
    ("knobs", "notice"),
    [({"filter_on": False}, "amocrm_filter_off"), ({"token_rights": "external"}, "amocrm_managers_hidden")],
)
def test_what_people_should_know_of_amocrm_is_told(practice: Practice, knobs: dict[str, Any], notice: str) -> None:
    practice.control("amocrm", set=knobs)
    _, steps = ran(practice)
    first = steps[StepKey.FETCH_AMOCRM]
    assert (first.colour, first.params["notices"]) == ("green", [notice])
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
    assert (run.status, steps[StepKey.FETCH_RADIST].colour) == (RunStatus.SUCCEEDED, "green")


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
def test_without_an_answer_of_the_model_the_report_has_figures_and_says_why(
    practice: Practice, fault: str, code: str
) -> None:
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
    assert (run.status, steps[StepKey.ANALYSE].colour) == (RunStatus.SUCCEEDED, "green")


def test_references_that_the_model_invents_are_dropped_and_told(practice: Practice) -> None:
    practice.control("gemini", fault="invent_refs", times=-1)
    assert_yellow(practice, StepKey.ANALYSE, "refs_dropped")


TELEGRAM = {
    "revoke_token": "telegram_token_refused",  # 401
    "kicked": "telegram_removed",  # 403
    "not_member": "telegram_removed",
    "group_deleted": "telegram_removed",
    "blocked": "telegram_blocked",
    "no_rights": "telegram_no_rights",
    "restart": "server_error",
    "flood": "busy",
}


@pytest.mark.parametrize(("fault", "code"), TELEGRAM.items())
def test_telegram_refuses_and_the_report_is_kept(practice: Practice, fault: str, code: str) -> None:
    practice.control("telegram", fault=fault, times=-1)
    assert_red(practice, StepKey.NOTIFY_TELEGRAM, code)
    assert len(practice.rows("synkro_reports")) == 1
    assert practice.sent() == []


def test_a_flood_limit_of_centuries_is_not_waited_for(practice: Practice) -> None:
    practice.control("telegram", fault="flood", value=99_999_999_999)
    run, _ = ran(practice)
    assert (run.status, len(practice.sent())) == (RunStatus.SUCCEEDED, 1)


def test_a_lost_answer_of_telegram_is_told_and_not_sent_again(practice: Practice) -> None:
    practice.control("telegram", fault="drop_after", path="/sendMessage")
    assert_yellow(practice, StepKey.NOTIFY_TELEGRAM, "telegram_unknown")
    assert len(practice.sent()) == 1


def test_formatting_that_telegram_refuses_is_left_out(practice: Practice) -> None:
    practice.control("telegram", fault="parse_error")
    assert_yellow(practice, StepKey.NOTIFY_TELEGRAM, "telegram_plain")
    assert len(practice.sent()) == 1


def again(practice: Practice, run: JobRun, key: StepKey | None = None) -> tuple[JobRun, dict[str, JobStep]]:
    with tenant_scope(practice.tenant.id):
        found = runs.find(run.id)
        assert found is not None
        runs.resume(found, key)
    return worked_out(practice, run.id)


class TestAGroupThatHasMoved:
    @pytest.fixture
    def moved(self, practice: Practice) -> JobRun:
        practice.control("telegram", fault="migrate")
        run, steps = ran(practice)
        assert_told(steps[StepKey.NOTIFY_TELEGRAM], "yellow", "telegram_migrated")
        return run

    @pytest.mark.usefixtures("moved")
    def test_gets_the_report_once(self, practice: Practice) -> None:
        assert [message["chat"]["id"] for message in practice.sent()] == [-1002000000002]

    @pytest.mark.usefixtures("moved")
    def test_is_kept_in_the_settings(self, practice: Practice) -> None:
        with tenant_scope(practice.tenant.id):
            config = integrations.find("telegram")
            assert config is not None
            assert config.settings["chat_id"] == "-1002000000002"

    def test_does_not_get_the_same_report_again_under_its_new_id(self, practice: Practice, moved: JobRun) -> None:
        again(practice, moved, StepKey.NOTIFY_TELEGRAM)
        assert len(practice.sent()) == 1

    @pytest.mark.usefixtures("moved")
    def test_gets_the_next_report(self, practice: Practice) -> None:
        ran(practice)
        assert [message["chat"]["id"] for message in practice.sent()] == [-1002000000002] * 2


def test_a_failed_delivery_is_sent_once_when_it_is_continued(practice: Practice) -> None:
    practice.control("telegram", fault="kicked")
    run, _ = ran(practice)
    assert run.status == RunStatus.FAILED
    run, steps = again(practice, run)
    assert (run.status, steps[StepKey.NOTIFY_TELEGRAM].colour) == (RunStatus.SUCCEEDED, "green")
    assert len(practice.sent()) == 1


def test_a_report_that_arrived_is_not_sent_again(practice: Practice) -> None:
    run, _ = ran(practice)
    again(practice, run, StepKey.NOTIFY_TELEGRAM)
    assert len(practice.sent()) == 1


def test_a_person_who_has_looked_may_send_what_nobody_knows_of(practice: Practice) -> None:
    practice.control("telegram", fault="drop", path="/sendMessage")
    run, _ = ran(practice)
    assert practice.sent() == []
    _, steps = again(practice, run, StepKey.NOTIFY_TELEGRAM)
    assert steps[StepKey.NOTIFY_TELEGRAM].colour == "green"
    assert len(practice.sent()) == 1


def test_what_nobody_knows_of_is_not_sent_by_an_earlier_step_that_is_done_again(practice: Practice) -> None:
    practice.control("telegram", fault="drop_after", path="/sendMessage")
    run, _ = ran(practice)
    _, steps = again(practice, run, StepKey.PERSIST_REPORT)
    assert_told(steps[StepKey.NOTIFY_TELEGRAM], "yellow", "telegram_earlier_unknown")
    assert len(practice.sent()) == 1


def test_what_was_delivered_is_written_down(practice: Practice) -> None:
    ran(practice)
    with tenant_scope(practice.tenant.id):
        rows = db.session.execute(select(Delivery)).scalars().all()
    sent = practice.sent()
    assert [(row.status, row.message_id) for row in rows] == [(DeliveryStatus.SENT, sent[0]["message_id"])]


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
    assert (run.status, steps[key].attempts) == (status, 1)
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
