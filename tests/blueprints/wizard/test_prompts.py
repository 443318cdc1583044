"""The pages of the texts for the AI and of test analyses: what was typed is never lost, nothing of it gets out."""

from __future__ import annotations

import html
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from synkro.analysis.ai.prompt import DEFAULT_TASK, TASK_LIMIT
from synkro.infra import clock
from synkro.models import AuditLog, Tenant, Trial, User
from synkro.models.states import Topic
from synkro.services.connections import prompts, trials
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support.having import assert_has
from tests.support.rows import quote
from tests.support.web_client import Enter

TASK, KNOWLEDGE = "/settings/ai/prompt", "/settings/ai/knowledge"

Save = Callable[..., int]


@pytest.fixture
def save(tenant: Tenant) -> Save:
    """As somebody else would, in another browser."""

    def made(body: str, topic: Topic = Topic.TASK, by: uuid.UUID | None = None) -> int:
        with tenant_scope(tenant.id):
            return prompts.save(topic, body, by)

    return made


def bodies(tenant: Tenant, topic: Topic = Topic.TASK) -> list[str]:
    with tenant_scope(tenant.id):
        return [prompts.find(topic, row.version).body for row in reversed(prompts.history(topic).rows)]


def typed(page: str) -> str:
    """What stands in the field."""
    return html.unescape(page.partition('name="body" ')[2].partition(">")[2].partition("</textarea>")[0]).strip("\r\n")


def test_the_products_own_text_and_its_rules_are_shown_at_first(enter: Enter) -> None:
    page = enter("settings").get(TASK).text
    assert "own text is used now" in html.unescape(page)
    assert html.escape(DEFAULT_TASK.splitlines()[0]) in page
    assert "Правила, которые действуют всегда" in page
    assert typed(page) == ""


def test_one_can_start_from_the_products_own_text(enter: Enter, tenant: Tenant) -> None:
    assert typed(enter("settings").get(f"{TASK}?start=default").text) == DEFAULT_TASK
    assert bodies(tenant) == []


@pytest.mark.parametrize(("path", "topic"), [(TASK, Topic.TASK), (KNOWLEDGE, Topic.KNOWLEDGE)])
def test_what_is_saved_is_shown_with_who_saved_it(enter: Enter, tenant: Tenant, path: str, topic: Topic) -> None:
    browser = enter("settings")
    assert browser.send(path, body="Flour 500\r\n<b>& more</b>", read="0").status_code == 303
    page = browser.get(path).text
    assert typed(page) == "Flour 500\n<b>& more</b>"
    assert "<b>& more" not in page
    assert "Version 1" in page
    assert ">Settings<" in page
    assert f"{len('Flour 500') + 14} of 20,000 characters" in page
    assert bodies(tenant, topic) == ["Flour 500\n<b>& more</b>"]


def test_saving_over_a_newer_version_is_refused_and_keeps_the_text(enter: Enter, tenant: Tenant, save: Save) -> None:
    browser = enter("settings")
    save("of somebody else")
    refused = browser.send(TASK, body="mine", read="0")
    assert refused.status_code == 409
    assert typed(refused.text) == "mine"
    assert "of somebody else" in refused.text
    assert bodies(tenant) == ["of somebody else"]
    assert 'name="read" type="hidden" value="1"' in refused.text
    assert browser.send(TASK, body="mine", read="1").status_code == 303
    assert bodies(tenant) == ["of somebody else", "mine"]


@pytest.mark.parametrize("read", ["", "-1", "x", "9" * 400, "²", "1e3"])
def test_a_number_that_is_none_overwrites_nothing(enter: Enter, tenant: Tenant, save: Save, read: str) -> None:
    save("of somebody else")
    assert enter("settings").send(TASK, body="mine", read=read).status_code == 409
    assert bodies(tenant) == ["of somebody else"]


def test_a_text_that_is_too_long_stays_in_the_field(enter: Enter, tenant: Tenant) -> None:
    long = "ж" * (TASK_LIMIT + 1)
    refused = enter("settings").send(TASK, body=long, read="0")
    assert refused.status_code == 422
    assert typed(refused.text) == long
    assert "The text has 20001 characters" in refused.text
    assert bodies(tenant) == []


def test_back_to_the_products_own_text(enter: Enter, tenant: Tenant, save: Save) -> None:
    save("mine")
    browser = enter("settings")
    assert browser.send(TASK, body="", read="1").status_code == 303
    assert bodies(tenant) == ["mine", ""]
    assert "own text is used now" in html.unescape(browser.get(TASK).text)


def test_a_version_is_shown_and_brought_back(enter: Enter, tenant: Tenant, save: Save) -> None:
    save("the old one")
    save("the new one")
    browser = enter("settings")
    assert "the old one" in browser.get(f"{TASK}/1").text
    assert "/restore" not in browser.get(f"{TASK}/2").text
    assert browser.send(f"{TASK}/1/restore").status_code == 303
    assert bodies(tenant) == ["the old one", "the new one", "the old one"]


@pytest.mark.parametrize("path", [f"{TASK}/0", f"{TASK}/2", f"{TASK}/{10**9}", f"{KNOWLEDGE}/1", "/settings/ai/rules"])
def test_a_version_or_a_text_that_is_not_there_is_missing(enter: Enter, save: Save, path: str) -> None:
    save("the task")
    assert enter("settings").get(path).status_code == 404


def test_many_versions_are_paged(enter: Enter, save: Save) -> None:
    for n in range(prompts.PAGE + 1):
        save(f"text number {n:02}")
    browser = enter("settings")
    first, second = browser.get(TASK).text, browser.get(f"{TASK}?page=2").text
    assert f"{TASK}/1&#34;" not in first
    assert f'{TASK}/1"' not in first
    assert f'{TASK}/1"' in second


def test_the_audit_tells_of_a_save_without_its_words(enter: Enter, cast: dict[str, User]) -> None:
    enter("settings").send(KNOWLEDGE, body="Flour 500", read="0")
    with system_scope("test"):
        (row,) = db.session.execute(select(AuditLog).where(AuditLog.act == "prompt_saved")).scalars()
    assert_has(row, actor=cast["settings"].email, object_id="knowledge", details={"version": 1, "characters": 9})
    page = enter("settings").get("/audit").text
    assert "Text for the AI saved" in page


# ---- test analyses


def analysed(tenant: Tenant, by: User | None = None, **said: Any) -> Trial:
    found = {
        "summary": "All asked for a price",
        "findings": [{"kind": "risk", "text": "Nobody answered", "evidence": [quote("How much?")]}],
        "managers": [],
        "unconfirmed": [],
        "model": "gemini-3.8-flash",
        "dialogs": 3,
        "tokens_in": 900,
        "tokens_out": 100,
        "cost": "0.001050",
        "versions": {"task": 1, "knowledge": 0},
        "system": "the instructions",
        "user": "the dialogs",
        "answer": "{}",
    } | said
    with tenant_scope(tenant.id):
        values = {"kind": "ai", "act": "analysis", "asked": {}, "params": {}, "asked_at": clock.now()}
        trial = Trial(id=uuid.uuid4(), tenant_id=tenant.id, asked_by=by.id if by else None, **values)
        db.session.add(trial)
        db.session.commit()
        trials.finish(trial, "green", "ai_analysis_ok", {"findings": 1}, found)
        return trial


def test_all_earlier_analyses_are_listed_and_can_be_opened(enter: Enter, tenant: Tenant, cast: dict[str, User]) -> None:
    made = [analysed(tenant, cast["settings"], summary=f"Summary {n}") for n in range(2)]
    browser = enter("settings")
    listed = browser.get("/settings/ai/analyses").text
    assert [str(trial.id) in listed for trial in made] == [True, True]
    assert ">Settings<" in listed
    page = browser.get(f"/settings/ai/analyses/{made[0].id}").text
    for words in ("Summary 0", "Nobody answered", "How much?", "the instructions", "the dialogs", "gemini-3.8-flash"):
        assert words in page
    assert "Summary 1" not in page


def test_an_analysis_that_failed_is_told_without_a_result(enter: Enter, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        trial = trials.request("ai", "analysis")
        trials.finish(trial, "yellow", "ai_day_quota")
    page = enter("settings").get(f"/settings/ai/analyses/{trial.id}")
    assert page.status_code == 200
    assert "daily quota" in page.text


def test_an_analysis_of_another_company_is_missing(enter: Enter, other_tenant: Tenant) -> None:
    foreign = analysed(other_tenant)
    browser = enter("settings")
    assert browser.get(f"/settings/ai/analyses/{foreign.id}").status_code == 404
    assert str(foreign.id) not in browser.get("/settings/ai/analyses").text


def test_another_trial_is_no_analysis(enter: Enter, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        trial = trials.request("ai", "package")
        trials.finish(trial, "green", "ai_package_ok", {}, {"system": "secret"})
    assert enter("settings").get(f"/settings/ai/analyses/{trial.id}").status_code == 404


def test_what_the_ai_says_is_text_and_not_markup(enter: Enter, tenant: Tenant) -> None:
    trial = analysed(tenant, summary="<script>alert(1)</script>", unconfirmed=["<img src=x onerror=alert(1)>"])
    page = enter("settings").get(f"/settings/ai/analyses/{trial.id}").text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
