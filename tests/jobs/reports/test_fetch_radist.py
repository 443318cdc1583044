"""Dialogs from Radist: single chats that it will not open, and texts that no store likes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Container
from datetime import UTC, datetime
from typing import Any

import pytest

from synkro.jobs.reports import runtime
from synkro.jobs.reports.handover import CHATS, FIGURES, MESSAGES
from synkro.models import JobStep
from synkro.models.plan import StepKey
from synkro.models.states import RunStatus
from synkro.sandbox.radist import api as radist_api
from synkro.services.reports import artifacts, runs
from synkro.services.shared.wording import remarks
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_has
from tests.support.practice import Practice

Refuse = Callable[..., None]


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """Radist opens these chats no more, until it is told anew. status: what it answers instead of their messages."""
    real = radist_api._whole_number

    def begin(chats: Container[int], status: int = 404) -> None:
        def whole_number(name: str) -> int:
            found = real(name)
            if found not in chats:
                return found
            if status == 422:
                raise radist_api.Invalid("chat_id", "chat is archived")
            return 0

        monkeypatch.setattr(radist_api, "_whole_number", whole_number)

    return begin


def fetched(practice: Practice, run_id: uuid.UUID) -> JobStep:
    """The step after one try, and what lies before it."""
    last = list(StepKey).index(StepKey.FETCH_RADIST)
    for place, key in enumerate(list(StepKey)[: last + 1]):
        with tenant_scope(practice.tenant.id):
            step = runs.steps_of(run_id)[place]
            step.ready_at = datetime.now(UTC) if step.status == "ready" else step.ready_at
            db.session.commit()
        runtime.work(str(practice.tenant.id), str(run_id), key)
    return practice.state(run_id)[1][last]


def pages(practice: Practice, run_id: uuid.UUID, name: str) -> list[artifacts.ArtifactPage]:
    with tenant_scope(practice.tenant.id):
        return list(artifacts.pages(run_id, name))


def stopped(practice: Practice, run_id: uuid.UUID) -> None:
    with tenant_scope(practice.tenant.id):
        run = runs.find(run_id)
        assert run is not None
        runs.stop(run)


def speakers(practice: Practice, run_id: uuid.UUID) -> list[int]:
    """Chats that said something in the window, each once."""
    return sorted({row["chat_id"] for page in pages(practice, run_id, MESSAGES) for row in page.rows})


@pytest.mark.parametrize("status", [404, 422])
def test_a_chat_that_is_gone_costs_itself_only(practice: Practice, refuse: Refuse, status: int) -> None:
    first = practice.start()
    fetched(practice, first)
    gone, *others = speakers(practice, first)
    stopped(practice, first)
    refuse([gone], status=status)
    run_id = practice.start()
    step = fetched(practice, run_id)
    assert_has(step, status="done", colour="yellow", code="radist_chats_unreadable")
    assert step.params == {"chats": 1}
    assert remarks(step.code, step.params).endswith(": 1.")
    assert speakers(practice, run_id) == others


def test_a_chat_that_is_gone_counts_as_unreadable_and_not_as_silent(practice: Practice, refuse: Refuse) -> None:
    def outcomes(run_id: uuid.UUID) -> dict[str, int]:
        (page,) = pages(practice, run_id, FIGURES)
        return dict(page.rows[0]["figures"]["chats_by_outcome"])

    whole = practice.run()
    refuse(speakers(practice, whole.id)[:1])
    with tenant_scope(practice.tenant.id):
        run = runs.find(whole.id)
        assert run is not None
        runs.resume(run, StepKey.FETCH_RADIST)
        before = outcomes(whole.id)
    practice.drain()
    after = outcomes(whole.id)
    assert practice.state(whole.id)[0].status == RunStatus.SUCCEEDED
    assert after["unreadable"] == 1
    assert after["no_messages"] == before["no_messages"]
    assert sum(after.values()) == sum(before.values())


def test_without_a_chat_that_opens_the_step_is_red_and_can_go_on(practice: Practice, refuse: Refuse) -> None:
    run_id = practice.start()
    refuse(range(10**9))
    step = fetched(practice, run_id)
    assert_has(step, status="failed", code="radist_not_found")
    refuse([])
    with tenant_scope(practice.tenant.id):
        run = runs.find(run_id)
        assert run is not None
        runs.resume(run)
    step = fetched(practice, run_id)
    assert_has(step, status="done", colour="green")
    assert speakers(practice, run_id)


def test_a_fetch_that_goes_on_still_knows_which_chats_were_gone(practice: Practice, refuse: Refuse) -> None:
    clean = practice.start()
    fetched(practice, clean)
    order = [row["chat_id"] for page in pages(practice, clean, MESSAGES) for row in page.rows]
    stopped(practice, clean)
    refuse(order[:1])
    practice.control("radist", fault="broken_json", path="/messages/", after=2, times=1)
    run_id = practice.start()
    assert fetched(practice, run_id).code == "not_json"
    step = fetched(practice, run_id)
    assert_has(step, code="radist_chats_unreadable", params={"chats": 1})


def test_half_an_emoji_and_a_nul_stop_nothing(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    real = radist_api.message_json

    def message_json(*args: Any, **options: Any) -> dict[str, Any]:
        row = real(*args, **options)
        return {**row, "text": {"text": "half \ud83d and \x00 nul"}, "message_type": "text", "note": "\udc00\x00"}

    monkeypatch.setattr(radist_api, "message_json", message_json)
    run = practice.run()
    assert run.status == RunStatus.SUCCEEDED
    bodies = {row["body"] for row in practice.rows("synkro_messages")}
    assert len(bodies) == 1
    assert bodies.pop().startswith("half \ufffd and ")


def test_names_of_chats_come_clean(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    real = radist_api.chat_json
    monkeypatch.setattr(
        radist_api, "chat_json", lambda *args: {**real(*args), "name": "A\x00 \ud83d B", "username": "\x00a\ud800"}
    )
    run_id = practice.start()
    fetched(practice, run_id)
    chats = [chat for page in pages(practice, run_id, CHATS) for group in page.rows for chat in group]
    assert {chat["name"] for chat in chats} == {"", "A  B"}
    assert {chat["username"] for chat in chats} == {"a"}


def test_a_very_deep_message_stops_nothing(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    real = radist_api.message_json
    deep: list[Any] = []
    for _ in range(600):
        deep = [deep]
    monkeypatch.setattr(radist_api, "message_json", lambda *args, **options: {**real(*args, **options), "deep": deep})
    assert fetched(practice, practice.start()).status == "done"
