"""flask reports, flask runs."""

from __future__ import annotations

import json
import subprocess
import uuid
from typing import Any

import pytest
from sqlalchemy import text

from synkro.models import Tenant
from synkro.models.plan import PLAN
from synkro.tenancy import db, system_scope
from tests.cli.conftest import Cli
from tests.support.having import assert_entries, assert_has
from tests.support.practice import Practice

WINDOW = ("--from", "2026-11-17", "--to", "2026-11-18")
STEP = {"key", "status", "colour", "code", "attempts", "seconds", "done", "total"}
FIGURES = {
    "leads_in_window",
    "leads_open",
    "leads_won",
    "leads_lost",
    "chats_matched",
    "chats_unmatched",
    "chats_matched_via_sibling",
    "messages_in",
    "messages_out",
    "active_chats",
    "first_response_median_s",
    "first_response_p90_s",
    "response_median_s",
    "response_p90_s",
    "unanswered",
    "unmatched_active",
    "unmatched_waiting",
    "by_manager",
}


def begin(cli: Cli, *more: str) -> dict[str, Any]:
    done = cli("reports", "run", "alfa", *(more or WINDOW), "--json")
    assert done.exit_code == 0, done.stderr
    return dict(json.loads(done.stdout))


def show(cli: Cli, run: str) -> dict[str, Any]:
    return dict(json.loads(cli("runs", "show", run, "--json").stdout))


def test_run_is_begun_and_only_json_is_on_stdout(cli: Cli, tenant: Tenant) -> None:
    done = cli("reports", "run", "alfa", *WINDOW, "--json")
    run = json.loads(done.stdout)
    assert_entries(run, status="queued", report=None)
    assert done.exit_code == 0
    assert [step["key"] for step in run["steps"]] == [str(plan.key) for plan in PLAN]
    assert all(set(step) >= STEP for step in run["steps"])
    assert done.stderr == f"started {run['id']}\n"


def test_without_json_stdout_is_empty(cli: Cli, tenant: Tenant) -> None:
    done = cli("reports", "run", "alfa", *WINDOW)
    assert_has(done, exit_code=0, stdout="")
    assert all(str(plan.key) in done.stderr for plan in PLAN)


def test_shown_run_has_the_same_shape(cli: Cli, tenant: Tenant) -> None:
    run = begin(cli)
    assert show(cli, run["id"]) == run


@pytest.mark.parametrize(
    ("zone", "given", "start"),
    [
        ("Asia/Almaty", "2026-11-17T10:30", "2026-11-17T05:30:00+00:00"),
        ("Asia/Aqtau", "2026-11-17", "2026-11-16T19:00:00+00:00"),
        ("Europe/Moscow", "2026-11-17T10:30", "2026-11-17T07:30:00+00:00"),
        ("Europe/Moscow", "2026-11-17T10:30+05:00", "2026-11-17T05:30:00+00:00"),
        ("Asia/Almaty", "2026-11-17T10:30Z", "2026-11-17T10:30:00+00:00"),
    ],
)
def test_time_without_offset_is_in_the_zone_of_the_company(
    cli: Cli, tenant: Tenant, zone: str, given: str, start: str
) -> None:
    tenant.timezone = zone
    db.session.commit()
    assert begin(cli, "--from", given, "--to", "2026-11-18")["window"][0] == start


def test_second_request_shows_the_run_that_is_on(cli: Cli, tenant: Tenant) -> None:
    first = begin(cli)
    again = cli("reports", "run", "alfa", "--from", "2026-11-15", "--to", "2026-11-16", "--json")
    assert json.loads(again.stdout)["id"] == first["id"]
    assert "there is already" in again.stderr


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        (("alfa", "--from", "yesterday", "--to", "2026-11-18"), 2),
        (("alfa", "--from", "0001-01-01", "--to", "2026-11-18"), 2),
        (("alfa", "--from", "2026-11-17"), 2),
        (("alfa", *WINDOW, "--kind", "yearly"), 2),
        (("alfa", "--from", "2026-11-18", "--to", "2026-11-17"), 2),
        (("alfa", "--from", "2090-11-17", "--to", "2090-11-18"), 2),
        (("alfa", "--from", "2020-11-17", "--to", "2026-11-18"), 2),
        (("nobody", *WINDOW), 1),
    ],
)
def test_refused_run(cli: Cli, tenant: Tenant, words: tuple[str, ...], exit_code: int) -> None:
    done = cli("reports", "run", *words, "--json")
    assert_has(done, exit_code=exit_code, stdout="")


def test_paused_company_gets_no_run(cli: Cli, tenant: Tenant) -> None:
    tenant.status = "paused"
    db.session.commit()
    assert cli("reports", "run", "alfa", *WINDOW).exit_code == 1


def test_cancelled_run_is_continued_from_its_first_open_step(cli: Cli, tenant: Tenant) -> None:
    run = begin(cli)["id"]
    assert cli("runs", "cancel", run).exit_code == 0
    assert show(cli, run)["status"] == "cancelled"
    done = cli("runs", "retry", run)
    assert_has(done, exit_code=0, stderr="continued from fetch_amocrm\n")
    assert show(cli, run)["status"] == "queued"


def test_cancelling_an_ended_run_says_that_there_is_nothing_to_stop(cli: Cli, tenant: Tenant) -> None:
    run = begin(cli)["id"]
    cli("runs", "cancel", run)
    done = cli("runs", "cancel", run)
    assert_has(done, exit_code=0, stderr="cancelled: nothing is left to stop\n")


@pytest.mark.parametrize(
    ("words", "exit_code"), [((), 1), (("--from", "analyse"), 1), (("--from", "dreaming"), 2)], ids=repr
)
def test_run_that_is_on_cannot_be_continued(cli: Cli, tenant: Tenant, words: tuple[str, ...], exit_code: int) -> None:
    assert cli("runs", "retry", begin(cli)["id"], *words).exit_code == exit_code


def test_step_is_not_continued_over_an_open_one(cli: Cli, tenant: Tenant) -> None:
    run = begin(cli)["id"]
    cli("runs", "cancel", run)
    done = cli("runs", "retry", run, "--from", "analyse")
    assert done.exit_code == 1
    assert "earlier_step_open" in done.stderr


@pytest.mark.parametrize("words", [("runs", "show"), ("runs", "retry"), ("runs", "cancel"), ("reports", "show")])
def test_missing_thing_is_exit_1_and_no_id_is_wrong_use(cli: Cli, tenant: Tenant, words: tuple[str, ...]) -> None:
    missing, wrong = cli(*words, uuid.uuid4()), cli(*words, "seventeen")
    assert_has(missing, exit_code=1, stdout="")
    assert missing.stderr.count("\n") == 1
    assert_has(wrong, exit_code=2, stdout="")


def test_finished_run_names_its_report(cli: Cli, practice: Practice) -> None:
    done = show(cli, str(practice.run().id))
    assert done["status"] == "succeeded"
    assert {(step["status"], step["colour"], step["attempts"]) for step in done["steps"]} == {("done", "green", 1)}
    assert all(step["seconds"] >= 0 for step in done["steps"])
    assert cli("reports", "show", done["report"]).exit_code == 0


def test_remark_is_done_in_yellow(cli: Cli, practice: Practice) -> None:
    practice.control("gemini", fault="prompt_blocked", times=-1)
    steps = {step["key"]: step for step in show(cli, str(practice.run().id))["steps"]}
    assert_entries(steps["analyse"], status="done", colour="yellow")
    assert steps["analyse"]["code"]


def test_report_is_shown_whole(cli: Cli, practice: Practice) -> None:
    shown = show(cli, str(practice.run().id))
    report = json.loads(cli("reports", "show", shown["report"], "--json").stdout)
    assert report["summary"]
    assert set(report["figures"]) >= FIGURES
    assert report["coverage"]
    assert all(finding["text"] and finding["evidence"] for finding in report["findings"])
    assert report["findings"][0]["evidence"][0]["text"]
    assert report["findings"][0]["evidence"][0]["kind"]
    assert report["summary"] in report["text"]
    assert set(report["ai"]) == {"calls", "tokens_in", "tokens_out", "cost"}
    assert report["ai"]["calls"] >= 1


def test_report_without_json_is_its_text(cli: Cli, practice: Practice) -> None:
    report = show(cli, str(practice.run().id))["report"]
    as_json = json.loads(cli("reports", "show", report, "--json").stdout)
    assert cli("reports", "show", report).stdout == as_json["text"] + "\n"


def forget_artifacts() -> None:
    """What retention does after a month."""
    with system_scope("test: retention has passed"):
        db.session.execute(text("delete from artifacts"))
        db.session.commit()


def test_text_comes_from_the_clients_database_after_retention(cli: Cli, practice: Practice) -> None:
    report = show(cli, str(practice.run().id))["report"]
    before = json.loads(cli("reports", "show", report, "--json").stdout)
    forget_artifacts()
    after = json.loads(cli("reports", "show", report, "--json").stdout)
    assert_entries(after, text=before["text"], findings=before["findings"])


def test_text_out_of_reach_is_one_sentence(cli: Cli, practice: Practice) -> None:
    report = show(cli, str(practice.run().id))["report"]
    forget_artifacts()
    practice.control("supabase", fault="html", times=-1)
    done = cli("reports", "show", report, "--json")
    assert_has(done, exit_code=1, stdout="")
    assert done.stderr.count("\n") == 1


def test_waiting_ends_with_the_run(cli: Cli, practice: Practice, worker: subprocess.Popen[bytes]) -> None:
    """Red and exit 1 first, then continued by the same worker, then a whole one."""
    window = practice.yesterday
    words = ("--from", window.start.isoformat(), "--to", window.end.isoformat(), "--wait", "--json")
    practice.control("amocrm", set={"revoked": True})
    failed = cli("reports", "run", "alfa", *words)
    told = json.loads(failed.stdout)
    assert failed.exit_code == 1
    assert told["status"] == "failed"
    assert told["steps"][0]["colour"] == "red"
    assert told["steps"][0]["code"] == "amocrm_reconnect"
    practice.control("amocrm", set={"revoked": False})
    whole = cli("reports", "run", "alfa", *words)
    told = json.loads(whole.stdout)
    assert whole.exit_code == 0
    assert told["status"] == "succeeded"
    assert told["report"]
