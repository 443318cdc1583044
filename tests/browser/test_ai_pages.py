"""What the AI is told and what it says, in every look, and without a line of JavaScript."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from synkro.infra import queue
from synkro.jobs.engine.worker import work_on
from synkro.models.states import Topic
from synkro.services.connections import analyses, checks, integrations, prompts
from synkro.tenancy import db, tenant_scope
from tests.support.ai_trials import loaded, tried
from tests.support.browser.window import Window
from tests.support.practice import Practice

Enter = Callable[..., Window]


@pytest.fixture
def ready(practice: Practice) -> Practice:
    """The AI is checked, the dialogs are loaded, everything was tried out once."""
    with tenant_scope(practice.tenant.id):
        config = integrations.find("ai")
        assert config is not None
        checks.run("ai")
        for body in ("Look for objections", "Look for promises that were not kept"):
            prompts.save(Topic.TASK, body, None)
        db.session.commit()
    loaded(practice)
    for act in ("package", "analysis", "write"):
        assert tried(practice, act)[0].colour == "green"
    return practice


def test_pages_with_a_result_are_good_in_every_look(ready: Practice, enter: Enter) -> None:
    with tenant_scope(ready.tenant.id):
        (kept,) = analyses.earlier().rows
    shown = enter("settings")
    for path in ("/settings/ai", "/settings/ai/prompt/1", f"/settings/ai/analyses/{kept.trial.id}"):
        shown.open(path)
        assert shown.complaints() == [], path


def test_a_text_is_written_and_brought_back_without_scripts(ready: Practice, enter: Enter) -> None:
    shown = enter("settings", js=False, locale="en-US")
    shown.open("/settings/ai/prompt")
    shown.page.locator("#prompt-body").fill("Something else\nin two lines")
    shown.page.get_by_role("button", name="Save", exact=True).click()
    shown.page.get_by_role("link", name="Version 1", exact=True).click()
    shown.page.get_by_role("button", name="Bring it back as a new version").click()
    assert shown.path == "/settings/ai/prompt"
    assert shown.page.locator("#prompt-body").input_value() == "Look for objections"
    with tenant_scope(ready.tenant.id):
        assert prompts.current(Topic.TASK).version == 4


def test_the_dialogs_are_analysed_at_the_press_of_a_button(ready: Practice, enter: Enter, app: Flask) -> None:
    shown = enter("settings", locale="en-US")
    shown.open("/settings/ai")
    shown.page.get_by_role("button", name="Analyse once more").click()
    work_on(app, queue.TRIALS, burst=True)
    shown.page.get_by_role("button", name="Analyse once more").wait_for()
    shown.page.get_by_role("link", name="Earlier test analyses").click()
    assert shown.page.locator("tbody tr").count() == 2
