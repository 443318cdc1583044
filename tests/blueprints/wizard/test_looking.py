"""A page that looks on: what ends in the middle of a look is seen by the next one."""

from __future__ import annotations

import pytest

from synkro.services.connections import checks, setup, trials
from synkro.services.connections.setup import SetupStep
from synkro.tenancy import tenant_scope
from tests.support.practice import Practice
from tests.support.web_client import Enter

STATE = "/settings/telegram/state"
LOOKS_AGAIN = "hx-trigger"


def test_a_trial_that_ends_during_a_look_is_seen_by_the_next(
    practice: Practice, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = enter("settings")
    with tenant_scope(practice.tenant.id):
        checks.run("telegram")
        asked = trials.request("telegram", "message")
    steps = setup.steps

    def worker_ends_after_the_steps() -> list[SetupStep]:
        read = steps()
        if trial := trials.begin(asked.id):
            trials.finish(trial, "green", "telegram_test_sent", {"message_id": 1})
        return read

    monkeypatch.setattr(setup, "steps", worker_ends_after_the_steps)
    looks = [LOOKS_AGAIN in browser.get(STATE).text for _ in range(2)]
    assert looks == [True, False]
