"""Sessions: what opens one, what ends it, and that an ended one opens nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

from synkro.models import Tenant, User, WebSession
from synkro.services.auth import sessions
from synkro.tenancy import db, system_scope
from tests.support.having import assert_has

Cast = dict[str, User]


def begun(user: User) -> str:
    return sessions.start(user, "192.0.2.1", "a browser")


def later(**time: float) -> time_machine.travel:
    return time_machine.travel(datetime.now(UTC) + timedelta(**time), tick=False)


@pytest.mark.parametrize("token", ["", "x", "1; drop table users", "токен"])
def test_a_token_of_nobody_is_nobody(app: Flask, token: str) -> None:
    assert sessions.load(token) is None


def test_the_token_is_not_stored(cast: Cast) -> None:
    token = begun(cast["user"])
    (row,) = sessions.of(cast["user"].id)
    assert token not in row.token_hash


def test_a_user_is_in_after_the_password(cast: Cast) -> None:
    found = sessions.load(begun(cast["user"]))
    assert found is not None
    assert_has(found, id=cast["user"].id, is_authenticated=True)


def test_staff_without_a_second_factor_have_to_set_one_up(cast: Cast) -> None:
    found = sessions.load(begun(cast["lite"]))
    assert found is not None
    assert found.current_session is not None
    assert found.is_authenticated is False
    assert found.current_session.needs == "enrol"


def test_whoever_has_a_second_factor_has_to_show_it(cast: Cast) -> None:
    with system_scope("test: a second factor"):
        db.session.execute(text("update credentials set totp_confirmed_at = now()"))
        db.session.commit()
    token = begun(cast["user"])
    found = sessions.load(token)
    assert found is not None
    assert found.current_session is not None
    assert found.current_session.needs == "code"
    renewed = sessions.load(sessions.confirm(found.current_session, factor=True))
    assert renewed is not None
    assert renewed.is_authenticated
    assert sessions.load(token) is None


def test_a_disabled_person_is_out(cast: Cast) -> None:
    token = begun(cast["user"])
    cast["user"].is_active = False
    db.session.commit()
    assert sessions.load(token) is None


def test_a_company_on_its_way_out_is_out(cast: Cast, tenant: Tenant) -> None:
    token = begun(cast["user"])
    tenant.status = "deleting"
    db.session.commit()
    assert sessions.load(token) is None


@pytest.mark.parametrize(("name", "minutes"), [("admin", 30), ("user", 12 * 60)])
def test_an_idle_session_ends(cast: Cast, name: str, minutes: int) -> None:
    token = begun(cast[name])
    with later(minutes=minutes - 1):
        assert sessions.load(token, in_use=False) is not None
    with later(minutes=minutes + 1):
        assert sessions.load(token) is None


def test_use_prolongs_a_session_and_a_page_renewing_itself_does_not(cast: Cast) -> None:
    used, watched = begun(cast["user"]), begun(cast["user"])
    with later(hours=8):
        sessions.load(used)
        sessions.load(watched, in_use=False)
    with later(hours=16):
        assert sessions.load(used) is not None
        assert sessions.load(watched) is None


@pytest.mark.parametrize(("name", "hours", "step"), [("admin", 12, 0.4), ("user", 14 * 24, 11)])
def test_no_session_outlives_its_limit(cast: Cast, name: str, hours: float, step: float) -> None:
    token, at = begun(cast[name]), 0.0
    while at + step < hours:
        at += step
        with later(hours=at):
            assert sessions.load(token) is not None
    with later(hours=hours + 0.01):
        assert sessions.load(token) is None


def test_sessions_that_are_over_are_removed(cast: Cast) -> None:
    begun(cast["user"])
    with later(days=15), system_scope("test: as the tick does"):
        sessions.purge()
        assert not db.session.execute(select(WebSession)).all()


def test_signing_out_everywhere_can_leave_one(cast: Cast) -> None:
    kept, gone = begun(cast["user"]), begun(cast["user"])
    current_session = sessions.load(kept).current_session  # type: ignore[union-attr]
    assert current_session is not None
    with system_scope("test: part of an act"):
        sessions.end_all(cast["user"].id, but=current_session.id)
        db.session.commit()
    assert sessions.load(kept) is not None
    assert sessions.load(gone) is None
