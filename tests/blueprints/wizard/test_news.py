"""What people are told of a connection: after its check has its outcome, once, and wherever the group is now."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from redis import Redis
from sqlalchemy import select, update

from synkro.infra import clock, queue
from synkro.integrations.base import Check
from synkro.jobs.engine.worker import work_on
from synkro.models import AuditLog, IntegrationConfig
from synkro.sandbox.telegram.app import OLD_GROUP
from synkro.services.connections import checks, connection_alerts, integrations, setup
from synkro.services.connections.integrations import find
from synkro.services.connections.setup import SetupStep
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_has
from tests.support.letters import stored
from tests.support.practice import Practice
from tests.support.radist_dialogs import WHATSAPP
from tests.support.telegram_acts import chosen

pytestmark = pytest.mark.usefixtures("cast")


@pytest.fixture(autouse=True)
def _unsent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters stay where they can be read."""
    monkeypatch.setattr("synkro.services.mail.outbox.enqueue", lambda _letter: None)


def checked(practice: Practice, kind: str) -> IntegrationConfig:
    """By a worker, which then tells what there is to tell."""
    with tenant_scope(practice.tenant.id):
        db.session.execute(update(IntegrationConfig).values(saved_at=clock.now() - timedelta(hours=1)))
        db.session.commit()
        checks.request(kind)
    work_on(practice.app, queue.CHECKS, burst=True)
    with tenant_scope(practice.tenant.id):
        config = find(kind)
        assert config is not None
        return config


def subjects() -> list[str]:
    return [letter["subject"] for letter in stored() if "work" in letter["subject"] or "абот" in letter["subject"]]


def step(practice: Practice, kind: str) -> SetupStep:
    with tenant_scope(practice.tenant.id):
        return next(step for step in setup.steps() if step.kind == kind)


def revoked(practice: Practice) -> None:
    assert checked(practice, "radist").check_colour == "green"
    practice.control("radist", set={"revoked": True})


def test_a_slow_group_takes_nothing_from_the_outcome(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    revoked(practice)
    practice.control("telegram", fault="slow", path="sendMessage", seconds=3, times=-1)
    monkeypatch.setattr(checks, "CHECK_SECONDS", 2)
    config = checked(practice, "radist")
    assert_has(config, check_colour="red", check_code="radist_key_refused", failures=1)
    assert len(subjects()) == 1


def test_a_group_that_never_answers_is_left(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_alerts, "TELL_SECONDS", 1)
    revoked(practice)
    practice.control("telegram", fault="slow", path="sendMessage", seconds=3, times=-1)
    assert [checked(practice, "radist").check_code for _ in range(2)] == ["radist_key_refused"] * 2
    assert len(subjects()) == 1


def test_what_could_not_be_told_is_told_after_the_next_check(
    practice: Practice, store: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    revoked(practice)
    with monkeypatch.context() as away:
        away.setattr("synkro.infra.queue.enqueue", lambda *_, **_more: False)
        with tenant_scope(practice.tenant.id):
            checks.run("radist")
            checks.pass_on("radist")
    assert subjects() == []
    assert practice.sent() == []
    for _ in range(2):
        checked(practice, "radist")
    assert len(subjects()) == 1
    assert len(practice.sent()) == 1
    assert queue.queue(queue.CHECKS, store).count == 0


def test_news_without_stored_letters_are_told_after_the_next_check(
    practice: Practice, postgres_superuser_url: str
) -> None:
    revoked(practice)
    with psycopg.connect(postgres_superuser_url, dbname="synkro", autocommit=True) as database:
        database.execute("revoke insert on letters from synkro_system")
        try:
            assert checked(practice, "radist").news == "broken"
        finally:
            database.execute("grant insert on letters to synkro_system")
    assert subjects() == []
    assert practice.sent() == []
    assert checked(practice, "radist").news == ""
    assert len(subjects()) == 1
    assert len(practice.sent()) == 1


def test_what_has_passed_before_anybody_was_told_is_not_told(practice: Practice) -> None:
    revoked(practice)
    with tenant_scope(practice.tenant.id):
        checks.run("radist")
        practice.control("radist", set={"revoked": False})
        checks.run("radist")
        checks.pass_on("radist")
    work_on(practice.app, queue.CHECKS, burst=True)
    assert subjects() == []
    assert practice.sent() == []


def test_a_check_that_breaks_off_leaves_the_outcome_it_has_stored(practice: Practice) -> None:
    with tenant_scope(practice.tenant.id):
        version, began = checks.version_of("radist"), clock.now()
        checks.run("radist")
        checks.break_off("radist", version, "check_too_long", began)
        config = find("radist")
    assert config is not None
    assert_has(config, check_colour="green", check_code="radist_ok", failures=0)


def test_a_check_that_breaks_off_says_how_long_it_took(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrations.INTEGRATIONS["radist"], "check", lambda _: 1 // 0)
    config = checked(practice, "radist")
    assert config.check_code == "internal"
    assert 0 <= (config.checked_seconds or 99) < 5


def test_a_notice_follows_a_group_that_has_moved(practice: Practice) -> None:
    with tenant_scope(practice.tenant.id):
        integrations.save("telegram", {"chat_id": str(OLD_GROUP)}, actor="test")
    revoked(practice)
    checked(practice, "radist")
    with tenant_scope(practice.tenant.id):
        acts = db.session.execute(select(AuditLog.act)).scalars().all()
    assert len(practice.sent()) == 1
    assert chosen(practice) == str(practice.world.keys.telegram_chat_id)
    assert acts.count("setting_followed") == 1


IDLE = [
    ("ai", {"model": "gemini-2.0-flash"}, {}, "ai_model_gone"),
    ("ai", {}, {"vendor": "gemini", "fault": "SAFETY", "times": -1}, "ai_odd_answer"),
    ("radist", {}, {"vendor": "radist", "set": {"sources": []}}, "radist_no_messengers"),
    ("radist", {"connections": "999"}, {}, "radist_connection_gone"),
    ("telegram", {"chat_id": ""}, {}, "telegram_choose_chat"),
]
"""Kind, what is typed, what the vendor does, what the check says: yellow, and the service does not do its work."""


@pytest.mark.parametrize(("kind", "typed", "order", "code"), IDLE, ids=[row[3] for row in IDLE])
def test_what_does_not_do_its_work_is_no_good_and_told_once(
    practice: Practice, kind: str, typed: dict[str, str], order: dict[str, object], code: str
) -> None:
    assert checked(practice, kind).check_colour == "green"
    with tenant_scope(practice.tenant.id):
        if typed:
            integrations.save(kind, typed, actor="test")
    if order:
        practice.control(**order)  # type: ignore[arg-type]
    config = checked(practice, kind)
    assert_has(config, check_colour="yellow", check_code=code)
    found = step(practice, kind)
    assert_has(found, is_good=False, is_usable=False, colour="yellow")
    if not order or order.get("times") == -1:
        checked(practice, kind)
    assert len(subjects()) == 1
    assert practice.sent() == [] if kind == "telegram" else len(practice.sent()) == 1


WITH_A_REMARK = [
    ("telegram", {}, {"vendor": "telegram", "fault": "topic_closed"}, "telegram_no_topic"),
    ("radist", {"connections": f"{WHATSAPP},999"}, {}, "radist_connection_gone"),
]
"""As in IDLE, but the service still does its work."""


@pytest.mark.parametrize(("kind", "typed", "order", "code"), WITH_A_REMARK, ids=[row[3] for row in WITH_A_REMARK])
def test_what_does_its_work_stays_good_and_its_remark_is_told_once(
    practice: Practice, kind: str, typed: dict[str, str], order: dict[str, object], code: str
) -> None:
    practice.run()  # the proof of both
    assert checked(practice, kind).check_colour == "green"
    if typed:
        with tenant_scope(practice.tenant.id):
            integrations.save(kind, typed, actor="test")
    if order:
        practice.control(**order)  # type: ignore[arg-type]
    assert checked(practice, kind).check_code == code
    found = step(practice, kind)
    assert_has(found, state="remark", is_good=True, is_usable=True)
    if order:
        practice.control(**order)  # type: ignore[arg-type]
    assert checked(practice, kind).check_code == code
    told = [letter["subject"] for letter in stored() if letter["subject"].startswith("Стоит знать")]
    assert subjects() == []
    assert len(told) == 1
    assert len(practice.sent()) == 2  # the report and the remark


def test_what_still_does_not_do_its_work_is_not_called_mended(practice: Practice) -> None:
    assert checked(practice, "ai").check_colour == "green"
    practice.control("gemini", fault="key_invalid", times=-1)
    assert checked(practice, "ai").check_colour == "red"
    practice.clear("gemini")
    with tenant_scope(practice.tenant.id):
        integrations.save("ai", {"model": "gemini-2.0-flash"}, actor="test")
    assert checked(practice, "ai").check_code == "ai_model_gone"
    assert len(subjects()) == 1
    with tenant_scope(practice.tenant.id):
        integrations.save("ai", practice.typed("ai"), actor="test")
    assert checked(practice, "ai").check_colour == "green"
    assert len(subjects()) == 2


def test_a_used_up_quota_is_good_only_where_an_answer_was_seen(practice: Practice) -> None:
    practice.control("gemini", fault="429_day", times=-1)
    assert checked(practice, "ai").check_code == "ai_day_quota"
    first = step(practice, "ai")
    practice.clear("gemini")
    assert checked(practice, "ai").check_colour == "green"
    practice.control("gemini", fault="429_day", times=-1)
    assert checked(practice, "ai").check_code == "ai_day_quota"
    later = step(practice, "ai")
    with tenant_scope(practice.tenant.id):
        integrations.save("ai", practice.typed("ai"), actor="test")
        checks.run("ai")
    anew = step(practice, "ai")
    seen = [(one.state, one.is_good) for one in (first, later, anew)]
    assert seen == [("unproved", False), ("remark", True), ("unproved", False)]
    assert subjects() == []


def test_a_quota_that_is_used_up_mends_nothing(practice: Practice) -> None:
    assert checked(practice, "ai").check_colour == "green"
    practice.control("gemini", fault="key_invalid", times=-1)
    checked(practice, "ai")
    practice.clear("gemini")
    practice.control("gemini", fault="429_day", times=-1)
    checked(practice, "ai")
    assert len(subjects()) == 1


def test_an_odd_answer_of_a_new_connection_is_not_good(practice: Practice) -> None:
    practice.control("gemini", fault="SAFETY", times=-1)
    checked(practice, "ai")
    assert not step(practice, "ai").is_good
    assert subjects() == []


def test_a_bot_that_may_join_no_group_leaves_a_choice(practice: Practice) -> None:
    practice.control("telegram", set={"can_join": False})
    with tenant_scope(practice.tenant.id):
        integrations.save("telegram", {"chat_id": ""}, actor="test")
    assert checked(practice, "telegram").check_code == "telegram_no_groups"
    found = step(practice, "telegram")
    assert_has(found, state="choice", is_usable=False)


def test_a_service_says_itself_what_its_yellow_means(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = iter([Check("green", "radist_ok"), Check("yellow", "anything", stands="idle")])
    monkeypatch.setattr(integrations.INTEGRATIONS["radist"], "check", lambda _: next(outcomes))
    checked(practice, "radist")
    checked(practice, "radist")
    assert step(practice, "radist").state == "idle"
    assert len(subjects()) == 1
