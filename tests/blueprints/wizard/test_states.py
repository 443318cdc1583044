"""How the state of a connection changes by itself, and who learns of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from synkro.infra import clock
from synkro.models import IntegrationConfig, User
from synkro.models.states import TenantStatus
from synkro.services.connections import checks, connection_alerts, integrations, setup
from synkro.services.connections.integrations import find
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support.having import assert_has
from tests.support.letters import stored
from tests.support.practice import Practice

pytestmark = pytest.mark.usefixtures("cast")


@pytest.fixture
def check(practice: Practice) -> Callable[[str], str | None]:
    """Make a check as a worker does; its colour."""

    with tenant_scope(practice.tenant.id):
        db.session.execute(update(IntegrationConfig).values(saved_at=clock.now() - timedelta(hours=1)))
        db.session.commit()

    def made(kind: str) -> str | None:
        with tenant_scope(practice.tenant.id):
            checks.run(kind)
            connection_alerts.tell(kind)
            config = find(kind)
            return config.check_colour if config else None

    return made


Check = Callable[[str], str | None]


def subjects() -> list[str]:
    return [letter["subject"] for letter in stored()]


def test_what_never_worked_is_not_told_of(practice: Practice, check: Check) -> None:
    practice.control("radist", set={"revoked": True})
    before = len(subjects())
    assert check("radist") == "red"
    assert len(subjects()) == before
    assert practice.sent() == []


def test_each_change_of_state_is_told_once_by_letter_and_in_the_group(practice: Practice, check: Check) -> None:
    assert check("radist") == "green"
    before = len(subjects())
    practice.control("radist", set={"revoked": True})
    assert [check("radist"), check("radist")] == ["red", "red"]
    letters, messages = len(subjects()) - before, len(practice.sent())
    practice.control("radist", set={"revoked": False})
    assert [check("radist"), check("radist")] == ["green", "green"]
    assert letters == messages == 1
    assert len(subjects()) - before == 2
    assert len(practice.sent()) == 2
    assert "Radist" in practice.sent()[0]["text"]


def test_what_passes_by_itself_is_told_of_when_it_comes_twice(practice: Practice, check: Check) -> None:
    assert check("radist") == "green"
    before = len(subjects())
    practice.control("radist", fault="500", times=-1)
    assert check("radist") == "red"
    once = len(subjects()) - before
    assert check("radist") == "red"
    assert once == 0
    assert len(subjects()) - before == 1


def test_who_has_just_saved_sees_it_and_is_told_nothing(practice: Practice, check: Check) -> None:
    assert check("radist") == "green"
    before = len(subjects())
    with tenant_scope(practice.tenant.id):
        integrations.save("radist", {"company_id": "1"})
    assert check("radist") == "red"
    assert len(subjects()) == before
    assert practice.sent() == []


def test_a_group_that_is_gone_is_told_of_by_letter_alone(practice: Practice, check: Check) -> None:
    assert check("telegram") == "green"
    before = len(subjects())
    practice.control("telegram", fault="kicked", times=-1)
    assert check("telegram") == "red"
    assert len(subjects()) - before == 1
    assert practice.sent() == []


def test_a_new_key_that_works_is_good_news_too(practice: Practice, check: Check) -> None:
    assert check("radist") == "green"
    practice.control("radist", set={"revoked": True})
    assert check("radist") == "red"
    with tenant_scope(practice.tenant.id):
        integrations.save("radist", {"company_id": str(practice.world.radist_company_id)})
    practice.control("radist", set={"revoked": False})
    assert check("radist") == "green"
    assert len(practice.sent()) == 2


def test_the_fault_is_told_in_the_language_of_the_company(practice: Practice, check: Check) -> None:
    assert check("radist") == "green"
    with system_scope("test: language"):
        db.session.merge(practice.tenant).language = "en"
        db.session.commit()
    practice.control("radist", set={"revoked": True})
    assert check("radist") == "red"
    assert "Radist does not accept the API key" in practice.sent()[0]["text"]


def aged(kind: str, age: timedelta, colour: str = "green") -> None:
    with system_scope("test: an older check"):
        config = db.session.query(IntegrationConfig).filter_by(kind=kind).one()
        config.checked_at, config.check_colour, config.check_requested_at = clock.now() - age, colour, None
        db.session.commit()


def due() -> list[tuple[uuid.UUID, str]]:
    with system_scope("test: due checks"):
        return checks.due()


@pytest.mark.parametrize(
    ("hours", "colour", "is_due"),
    [(23, "green", False), (25, "green", True), (25, "yellow", True), (0.9, "red", False), (1.1, "red", True)],
)
def test_a_check_is_due_after_a_day_and_sooner_when_it_was_red(
    practice: Practice, hours: float, colour: str, is_due: bool
) -> None:
    aged("radist", timedelta(hours=hours), colour)
    assert due() == ([(practice.tenant.id, "radist")] if is_due else [])


@pytest.mark.parametrize(("days", "is_due"), [(6, False), (8, True)])
def test_a_paused_company_is_looked_at_once_a_week(practice: Practice, days: int, is_due: bool) -> None:
    aged("amocrm", timedelta(days=days))
    with system_scope("test: a pause"):
        db.session.merge(practice.tenant).status = TenantStatus.PAUSED
        db.session.commit()
    assert bool(due()) is is_due


def test_a_step_that_fails_has_its_service_checked_and_reopens_it(practice: Practice, check: Check) -> None:
    assert check("amocrm") == "green"
    practice.control("amocrm", set={"revoked": True})
    run = practice.run()
    with tenant_scope(practice.tenant.id):
        config = find("amocrm")
        assert config is not None
        assert run.status == "failed"
        assert config.check_requested_at is not None
    assert check("amocrm") == "red"
    with tenant_scope(practice.tenant.id):
        assert next(step for step in setup.steps() if step.kind == "amocrm").state == "broken"


def test_the_words_name_what_to_do(practice: Practice, cast: dict[str, User]) -> None:
    assert cast
    with tenant_scope(practice.tenant.id):
        config = find("amocrm")
        assert config is not None
        config.check_code, config.news = "amocrm_reconnect", "broken"
        db.session.commit()
        connection_alerts.tell("amocrm")
    assert "amoCRM" in practice.sent()[0]["text"]


def step(practice: Practice, kind: str) -> setup.SetupStep:
    with tenant_scope(practice.tenant.id):
        return next(step for step in setup.steps() if step.kind == kind)


@pytest.mark.parametrize(("kind", "field"), [("ai", "model"), ("telegram", "chat_id")])
def test_keys_that_work_while_a_choice_is_left_are_not_called_broken(
    practice: Practice, check: Check, kind: str, field: str
) -> None:
    with tenant_scope(practice.tenant.id):
        integrations.save(kind, {field: None}, actor="test")
    check(kind)
    found = step(practice, kind)
    assert_has(found, state="choice", colour="yellow", is_good=False, is_usable=False)


def test_a_step_that_is_done_stays_so_while_it_is_checked_anew(practice: Practice, check: Check) -> None:
    assert check("supabase") == "green"
    with tenant_scope(practice.tenant.id):
        checks.request("supabase")
    found = step(practice, "supabase")
    assert_has(found, state="checking", is_good=True)


def test_a_step_that_was_saved_anew_is_not_done_while_it_is_checked(practice: Practice, check: Check) -> None:
    assert check("supabase") == "green"
    with tenant_scope(practice.tenant.id):
        integrations.save("supabase", {"url": practice.urls["supabase"]}, actor="test")
        checks.request("supabase")
    found = step(practice, "supabase")
    assert_has(found, state="checking", is_good=False)
