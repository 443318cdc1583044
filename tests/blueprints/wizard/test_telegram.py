"""Telegram in the wizard: the group is found by a code of one's own, a message shows that it is the right one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from synkro.infra import clock
from synkro.integrations.http.client import HttpConnection
from synkro.integrations.telegram.client import Telegram
from synkro.jobs.connections.acts.telegram_report import trial_report
from synkro.models import AuditLog, IntegrationConfig, Tenant, Trial
from synkro.sandbox.telegram.app import OLD_GROUP
from synkro.sandbox.telegram.html import parse
from synkro.sandbox.telegram.updates import TOPIC
from synkro.services.connections import checks, integrations, setup, telegram_code, trials
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.telegram_acts import chosen, code, outcome, saved, say, tried


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synkro.integrations.http.client.random.uniform", lambda *_: 0.0)


def found(practice: Practice, tenant: Tenant | None = None) -> list[tuple[str, str]]:
    """(chat, topic) of what is offered."""
    return [(one["chat_id"], one["topic_id"]) for one in tried(practice, "chats", tenant)[1].get("chats", [])]


def group(practice: Practice) -> str:
    return str(practice.world.keys.telegram_chat_id)


class TestTheCode:
    def test_the_group_in_which_it_was_sent_is_offered(self, practice: Practice) -> None:
        say(practice, code(practice.tenant))
        trial, result = tried(practice, "chats")
        assert_has(trial, colour="green", code="telegram_chats_found", params={"count": 1})
        assert result["chats"] == [
            {"chat_id": group(practice), "title": "Отчёты", "type": "supergroup"}
            | {"topic_id": "", "topic": "", "has_topics": False}
        ]

    def test_a_topic_is_offered_before_the_group_itself(self, practice: Practice) -> None:
        say(practice, code(practice.tenant), topic=TOPIC)
        assert found(practice) == [(group(practice), str(TOPIC)), (group(practice), "")]

    def test_a_wrong_one_opens_nothing(self, practice: Practice) -> None:
        say(practice, "ABCDEFGH")
        assert_has(outcome(practice, "chats"), colour="yellow", code="telegram_code_not_seen")

    def test_of_a_shared_bot_each_company_sees_its_own_group_only(
        self, practice: Practice, other_tenant: Tenant
    ) -> None:
        with tenant_scope(other_tenant.id):
            integrations.save("telegram", {"bot_token": practice.world.keys.telegram_token}, actor="test")
        say(practice, code(practice.tenant))
        say(practice, code(other_tenant), chat=-1007, title="Бета")
        assert found(practice) == [(group(practice), "")]
        assert found(practice, other_tenant) == [("-1007", "")]

    @pytest.mark.parametrize(
        ("minutes", "is_taken"), [(0, True), (10, True), (29, True), (41, False), (24 * 60, False)]
    )
    def test_it_lives_for_half_an_hour(
        self, practice: Practice, monkeypatch: pytest.MonkeyPatch, minutes: int, is_taken: bool
    ) -> None:
        say(practice, code(practice.tenant))
        later = clock.now() + timedelta(minutes=minutes)
        monkeypatch.setattr(clock, "now", lambda: later)
        assert bool(found(practice)) == is_taken

    def test_it_is_used_up_by_the_choice(self, practice: Practice) -> None:
        say(practice, code(practice.tenant))
        saved(practice, {"chat_id": group(practice)})
        assert found(practice) == []

    def test_what_was_found_is_chosen_by_a_person_only(self, practice: Practice) -> None:
        saved(practice, {"chat_id": ""})
        say(practice, code(practice.tenant))
        assert len(found(practice)) == 1
        assert chosen(practice) == ""

    def test_more_than_a_hundred_updates_are_said(self, practice: Practice) -> None:
        practice.control("telegram", fault="say", value="/noise", times=120)
        say(practice, code(practice.tenant))
        result = tried(practice, "chats")[1]
        assert len(result["chats"]) == 1
        assert result["is_cut"] is True

    @given(st.integers(1, 10**9))
    def test_it_has_eight_letters_that_nobody_mistakes(self, config: IntegrationConfig, version: int) -> None:
        config.version = version
        made = telegram_code.shown(config)
        assert len(made) == 8
        assert set(made) <= set(telegram_code.LETTERS)
        assert made in telegram_code.taken(config)


@pytest.fixture(scope="module")
def context(whole_app: Flask) -> Iterator[None]:
    with whole_app.app_context():
        yield


@pytest.fixture(scope="module")
def config(context: None) -> IntegrationConfig:
    return IntegrationConfig(tenant_id=uuid.UUID(int=1), kind="telegram", version=1)


class TestTheMessage:
    def test_it_arrives_and_proves_the_connection(self, practice: Practice) -> None:
        with tenant_scope(practice.tenant.id):
            checks.run("telegram")
            before = state()
        trial, _ = tried(practice, "message")
        message = practice.sent()[0]
        assert_has(trial, colour="green", code="telegram_test_sent")
        assert trial.params == {"message_id": message["message_id"], "chat_id": int(group(practice))}
        assert "Alfa" in message["text"]
        with tenant_scope(practice.tenant.id):
            assert before == "unproved"
            assert state() == "done"

    def test_without_a_chat_nothing_is_sent(self, practice: Practice) -> None:
        saved(practice, {"chat_id": ""})
        assert_has(outcome(practice, "message"), colour="yellow", code="telegram_choose_chat")
        assert practice.sent() == []

    @pytest.mark.parametrize("fault", ["drop", "drop_after", "html"])
    def test_one_that_may_have_arrived_is_not_sent_again(self, practice: Practice, fault: str) -> None:
        practice.control("telegram", fault=fault)
        assert_has(outcome(practice, "message"), colour="yellow", code="telegram_unknown")
        calls = [one for one in practice.look("telegram", "/__requests") if one["path"].endswith("/sendMessage")]
        assert len(calls) == 1

    def test_a_group_that_has_moved_is_followed_and_it_is_said(self, practice: Practice) -> None:
        saved(practice, {"chat_id": str(OLD_GROUP)})
        trial, _ = tried(practice, "message")
        assert_has(trial, colour="green", code="telegram_test_moved")
        assert trial.params["chat_id"] == int(group(practice))
        assert chosen(practice) == group(practice)
        assert len(practice.sent()) == 1
        with tenant_scope(practice.tenant.id):
            acts = db.session.execute(select(AuditLog.act)).scalars().all()
        assert "setting_followed" in acts

    def test_without_its_topic_the_group_gets_it_and_the_setting_stays(self, practice: Practice) -> None:
        saved(practice, {"message_thread_id": "99"})
        assert_has(outcome(practice, "message"), colour="yellow", code="telegram_test_no_topic")
        assert "message_thread_id" not in practice.sent()[0]
        with tenant_scope(practice.tenant.id):
            config = integrations.find("telegram")
            assert config is not None
            assert config.settings["message_thread_id"] == "99"
            assert state() != "done"

    def test_the_trial_ends_before_the_worker_is_stopped(
        self, practice: Practice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given: list[float] = []
        real = HttpConnection.post

        def noted(self: HttpConnection, path: str, body: Any, params: Any = (), **options: Any) -> Any:
            given.append(options.get("deadline_seconds", 0))
            return real(self, path, body, params, **options)

        monkeypatch.setattr(HttpConnection, "post", noted)
        tried(practice, "message")
        message = Telegram.act("message")
        assert message is not None
        assert 0 < max(given) < message.seconds


def state() -> str:
    return next(step.state for step in setup.steps() if step.kind == "telegram")


ANSWER: dict[str, Any] = {
    "dialogs": 3,
    "summary": "Итог: 1 < 2 & <b>",
    "findings": [
        {"kind": "risk", "text": "Клиент <ждёт>", "evidence": []},
        {"kind": "idea", "text": "Звонить раньше", "evidence": []},
    ],
}
DIALOGS = [
    {"messages": [{"direction": "in", "text": "x"}, {"direction": "out", "text": "y"}]},
    {"messages": [{"direction": "in", "text": "z"}]},
    {"messages": []},
]


def finished(tenant: Tenant, kind: str, act: str, result: dict[str, Any]) -> None:
    with tenant_scope(tenant.id):
        trial = Trial(tenant_id=tenant.id, kind=kind, act=act, asked={}, params={}, asked_at=clock.now())
        db.session.add(trial)
        db.session.commit()
        trials.finish(trial, "green", "x", {}, result)


class TestTheReport:
    def test_it_tells_what_the_test_analysis_has_said(self, practice: Practice) -> None:
        practice.tenant.language = "en"
        db.session.commit()
        finished(practice.tenant, "ai", "analysis", ANSWER)
        assert_has(outcome(practice, "report"), colour="green", code="telegram_report_sent")
        text = practice.sent()[0]["text"]
        assert text.startswith("Test report on 3 dialogs: Alfa\n")
        assert "Итог: 1 < 2 & <b>" in text
        assert text.index("Risks\n• Клиент <ждёт>") < text.index("Ideas\n• Звонить раньше")

    def test_without_an_analysis_it_has_figures_only(self, practice: Practice) -> None:
        practice.tenant.language = "en"
        db.session.commit()
        finished(practice.tenant, "radist", "sample", {"dialogs": DIALOGS})
        assert_has(outcome(practice, "report"), colour="green", code="telegram_report_sent")
        lines = practice.sent()[0]["text"].splitlines()
        assert lines[0] == "Test report on 3 dialogs: Alfa"
        assert lines[4:7] == ["• Messages from clients: 2", "• Messages to clients: 1", "• Unanswered: 1"]

    def test_with_nothing_to_tell_it_says_what_to_do_first(self, practice: Practice) -> None:
        assert_has(outcome(practice, "report"), colour="yellow", code="telegram_report_first")
        assert practice.sent() == []

    def test_without_a_chat_nothing_is_sent(self, practice: Practice) -> None:
        saved(practice, {"chat_id": ""})
        finished(practice.tenant, "ai", "analysis", ANSWER)
        assert_has(outcome(practice, "report"), colour="yellow", code="telegram_choose_chat")

    def test_a_part_that_may_have_arrived_ends_it(self, practice: Practice) -> None:
        finished(practice.tenant, "ai", "analysis", ANSWER)
        practice.control("telegram", fault="drop_after")
        assert_has(outcome(practice, "report"), colour="yellow", code="telegram_unknown")
        assert len(practice.sent()) == 1

    def test_a_moved_group_is_followed(self, practice: Practice) -> None:
        saved(practice, {"chat_id": str(OLD_GROUP)})
        finished(practice.tenant, "ai", "analysis", ANSWER)
        assert_has(outcome(practice, "report"), colour="yellow", code="telegram_migrated")
        assert chosen(practice) == group(practice)

    @pytest.mark.usefixtures("context")
    @given(st.text(), st.lists(st.fixed_dictionaries({"kind": st.sampled_from(["risk", "idea"]), "text": st.text()})))
    def test_whatever_the_ai_has_said_is_text(self, summary: str, findings: list[dict[str, Any]]) -> None:
        parts = trial_report("<Alfa> & Co", {"summary": summary, "findings": findings, "dialogs": 3}, ())
        for part in parts:
            assert {entity["type"] for entity in parse(part)[1]} <= {"bold", "italic"}

    @pytest.mark.usefixtures("context")
    def test_what_is_too_much_is_counted(self) -> None:
        findings = [{"kind": "risk", "text": f"№ {n}"} for n in range(20)]
        with force_locale("en"):
            report = trial_report("Alfa", {"findings": findings}, ())
        assert report[0].endswith("<i>More findings in the AI step: 12.</i>")
