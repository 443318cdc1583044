"""Notices: who gets them, in which language, sealed on their way, and that none of them breaks the act it tells of."""

from __future__ import annotations

import pytest
from redis import Redis
from sqlalchemy import text

from synkro.infra import queue
from synkro.models import Tenant, User
from synkro.services.mail import company_notices, notices
from synkro.tenancy import db, system_scope, tenant_scope
from tests.conftest import redis_away
from tests.support.letters import stored

Cast = dict[str, User]
SCRIPT = "<script>alert(1)</script>"


def test_a_sign_in_from_a_new_browser_is_told_to_its_owner(cast: Cast) -> None:
    notices.new_device(cast["user"], "192.0.2.7", "Firefox")
    (letter,) = stored()
    assert letter["to"] == "user@example.com"
    assert "192.0.2.7" in letter["text"]
    assert "Firefox" in letter["text"]


def test_a_changed_key_is_told_to_those_who_manage_settings(cast: Cast, tenant: Tenant) -> None:
    company_notices.key_changed(tenant.id, "telegram")
    assert [letter["to"] for letter in stored()] == ["settings@example.com"]


def test_an_invitation_is_told_to_those_who_manage_settings(cast: Cast) -> None:
    company_notices.person_invited(cast["user"])
    assert [letter["to"] for letter in stored()] == ["settings@example.com"]
    assert "user@example.com" in stored()[0]["text"]


def test_an_invitation_of_staff_concerns_no_company(cast: Cast) -> None:
    company_notices.person_invited(cast["lite"])
    assert stored() == []


def test_a_disabled_person_is_told_nothing(cast: Cast, tenant: Tenant) -> None:
    cast["settings"].is_active = False
    db.session.commit()
    company_notices.key_changed(tenant.id, "telegram")
    assert stored() == []


@pytest.mark.parametrize(("own", "companys", "language"), [("en", "ru", "en"), ("", "kk", "kk"), ("", "ru", "ru")])
def test_a_letter_speaks_the_language_of_its_reader(
    cast: Cast, tenant: Tenant, own: str, companys: str, language: str
) -> None:
    cast["user"].language, tenant.language = own, companys
    db.session.commit()
    notices.password_changed(cast["user"])
    (letter,) = stored()
    assert letter["language"] == language
    assert f'<html lang="{language}">' in letter["html"]


def test_the_time_is_that_of_the_company(cast: Cast, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant.timezone, cast["user"].language = "America/New_York", "en"
    db.session.commit()
    monkeypatch.setattr("synkro.infra.clock.now", lambda: tenant.created_at.replace(2026, 7, 1, 3, 30))
    notices.password_changed(cast["user"])
    assert "30 June 2026, 23:30" in stored()[0]["text"]


@pytest.mark.parametrize("act", [notices.second_factor_changed, notices.password_changed])
def test_what_people_are_called_is_text_in_a_letter(cast: Cast, act: object) -> None:
    cast["user"].name = f"{SCRIPT}\r\nBcc: a@b.kz\u202e"
    db.session.commit()
    assert callable(act)
    act(cast["user"])
    (letter,) = stored()
    assert SCRIPT not in letter["html"]
    assert "&lt;script&gt;" in letter["html"]
    assert "\r" not in letter["text"]
    assert "\u202e" not in letter["text"]
    assert not any(line.startswith("Bcc:") for line in letter["text"].splitlines())


def test_what_a_browser_says_of_itself_is_text_in_a_letter(cast: Cast) -> None:
    notices.new_device(cast["user"], "192.0.2.7", f"{SCRIPT}\x1b[31m\u2028" + "x" * 10_000)
    (letter,) = stored()
    assert SCRIPT not in letter["html"]
    assert "\x1b" not in letter["text"]
    assert len(letter["text"]) < 1_000


def test_a_letter_lies_sealed_in_the_table_and_only_its_id_in_redis(cast: Cast, store: Redis) -> None:
    notices.password_changed(cast["user"])
    with system_scope("test: letters"):
        letter_id, row = db.session.execute(text("select l.id, l::text from letters l")).one()
    assert "user@example.com" not in row
    jobs = queue.queue(queue.CHECKS, store).jobs
    assert [(job.func_name, job.args) for job in jobs] == [("letter", [str(letter_id)])]


def test_a_notice_does_not_end_the_transaction_of_its_caller(cast: Cast, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        row = db.session.get_one(Tenant, tenant.id)
        row.name = "Not yet"
        company_notices.key_changed(tenant.id, "telegram")
        db.session.rollback()
        db.session.refresh(row)
    assert row.name == "Alfa"


def test_a_notice_that_cannot_be_written_breaks_nothing(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    company_notices.key_changed(cast["settings"].tenant_id, "no such service")  # type: ignore[arg-type]
    assert "notice not written" in caplog.text


def test_without_redis_the_letter_waits(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synkro.services.mail.outbox.redis", redis_away)
    notices.password_changed(cast["user"])
    assert len(stored()) == 1
