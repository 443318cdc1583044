"""Links to a password: what opens, what does not any more, and that one link sets one password."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import func, select, text, update

from synkro.errors import AppError
from synkro.models import AuditLog, Credential, LinkPurpose, OneTimeLink, StoredLetter, Tenant, User
from synkro.services import audit
from synkro.services.auth import accounts, forgotten, links, passwords, sessions
from synkro.tenancy import db, system_scope
from tests.conftest import PASSWORD
from tests.support.having import assert_has

Cast = dict[str, User]
NEW = "kettle anchor violet ninety"
INVITATION, RESET = LinkPurpose.INVITATION, LinkPurpose.RESET


class Interrupted(Exception):
    """As by a kill."""


def breaks(*_given: object, **_named: object) -> None:
    raise Interrupted


@pytest.fixture
def guest(cast: Cast) -> User:
    """Invited, that is without a password."""
    with system_scope("test: no password yet"):
        db.session.execute(update(Credential).where(Credential.user_id == cast["user"].id).values(password_hash=""))
        db.session.commit()
    return cast["user"]


def token_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["t"][0]


def reset_link(user: User) -> str:
    with system_scope("test: a link"):
        url, _ = links.make(user, RESET)
        db.session.commit()
    return token_of(url)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(AppError) as caught:
        act()
    return caught.value.code


def later(**time: float) -> time_machine.travel:
    return time_machine.travel(datetime.now(UTC) + timedelta(**time), tick=False)


def acts() -> list[str]:
    with system_scope("test: look at the audit log"):
        return list(db.session.execute(select(AuditLog.act).order_by(AuditLog.id)).scalars())


def test_an_invited_person_comes_in_with_the_first_password(guest: User) -> None:
    links.accept(token_of(links.invite(guest)), "Айгуль", "en", NEW)
    found = accounts.sign_in(guest.email, NEW)
    assert found is not None
    assert_has(found, name="Айгуль", language="en")


def test_a_forgotten_password_is_replaced_and_all_sessions_end(cast: Cast) -> None:
    sessions.start(cast["user"], "192.0.2.1", "a browser")
    links.reset(reset_link(cast["user"]), NEW)
    assert accounts.sign_in("user@example.com", PASSWORD) is None
    assert accounts.sign_in("user@example.com", NEW) is not None
    assert sessions.of(cast["user"].id) == []


def test_the_link_has_256_bits_and_begins_with_our_address(guest: User) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/welcome\?t=[\w-]{43}", links.invite(guest))


def test_a_link_works_once(guest: User) -> None:
    token = token_of(links.invite(guest))
    links.accept(token, "A", "ru", NEW)
    assert links.find(token, INVITATION) is None
    assert refusal(lambda: links.accept(token, "A", "ru", "another password of four")) == "link_ended"


def test_of_two_uses_at_the_same_moment_one_sets_the_password(app: Flask, guest: User) -> None:
    token = token_of(links.invite(guest))
    words = [f"{word} anchor violet ninety" for word in ("kettle", "lantern", "meadow", "saddle")]

    def use(password: str) -> str:
        with app.app_context():
            try:
                links.accept(token, "A", "ru", password)
            except AppError as error:
                return error.code
            return "in"

    with ThreadPoolExecutor(len(words)) as pool:
        outcomes = list(pool.map(use, words))
    assert sorted(outcomes) == ["in"] + ["link_ended"] * 3
    assert accounts.sign_in(guest.email, words[outcomes.index("in")]) is not None


def test_of_an_invitation_and_a_reset_at_once_one_sets_the_password(app: Flask, guest: User) -> None:
    invitation, reset = token_of(links.invite(guest)), reset_link(guest)
    uses: list[Callable[[], object]] = [
        lambda: links.accept(invitation, "A", "ru", "kettle anchor violet ninety"),
        lambda: links.reset(reset, "lantern anchor violet ninety"),
    ]

    def use(act: Callable[[], object]) -> str:
        with app.app_context():
            try:
                act()
            except AppError as error:
                return error.code
            return "in"

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(use, uses * 2))
    assert sorted(outcomes) == ["in"] + ["link_ended"] * 3


@pytest.mark.parametrize(
    ("place", "name"),
    [(PasswordHasher, "hash"), (sessions, "end_all"), (audit, "mac_of")],
    ids=["at the hash", "once the password is set", "at the commit"],
)
def test_a_break_before_the_password_is_stored_leaves_the_link_open(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, place: object, name: str
) -> None:
    user, token = cast["user"], reset_link(cast["user"])
    with monkeypatch.context() as patch:
        patch.setattr(place, name, breaks)
        with pytest.raises(Interrupted):
            links.reset(token, NEW)
    assert accounts.sign_in(user.email, PASSWORD) is not None
    links.reset(token, NEW)
    assert accounts.sign_in(user.email, NEW) is not None
    assert [act for act in acts() if act != "signed_in"] == ["reset_used", "password_changed"]


def test_what_breaks_leaves_an_invited_person_as_invited_as_before(
    guest: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = token_of(links.invite(guest))
    with monkeypatch.context() as patch:
        patch.setattr(sessions, "end_all", breaks)
        with pytest.raises(Interrupted):
            links.accept(token, "Another", "en", NEW)
    found = links.find(token, INVITATION)
    assert found is not None
    assert_has(found, name=guest.name, language=guest.language)


@pytest.mark.parametrize(("purpose", "minutes"), [(INVITATION, 24 * 60), (RESET, 60)])
def test_a_link_ends_by_itself(cast: Cast, purpose: LinkPurpose, minutes: int) -> None:
    with system_scope("test: a link"):
        token = token_of(links.make(cast["user"], purpose)[0])
        db.session.execute(text("update credentials set password_hash = ''"))
        db.session.commit()
    with later(minutes=minutes - 1):
        assert links.find(token, purpose) is not None
    with later(minutes=minutes + 1):
        assert links.find(token, purpose) is None


def test_a_link_of_one_purpose_is_none_of_another(cast: Cast, guest: User) -> None:
    assert links.find(token_of(links.invite(guest)), RESET) is None
    assert links.find(reset_link(cast["other"]), INVITATION) is None


def test_a_new_link_ends_the_older_one(guest: User) -> None:
    first, second = token_of(links.invite(guest)), token_of(links.invite(guest))
    assert links.find(first, INVITATION) is None
    assert links.find(second, INVITATION) is not None


def test_a_used_link_ends_those_of_other_purposes(guest: User) -> None:
    invitation, reset = token_of(links.invite(guest)), reset_link(guest)
    links.accept(invitation, "A", "ru", NEW)
    assert links.find(reset, RESET) is None


def test_a_password_that_was_changed_meanwhile_ends_the_link(cast: Cast) -> None:
    token = reset_link(cast["user"])
    passwords.change(cast["user"], NEW, keep=None)
    assert links.find(token, RESET) is None


@pytest.mark.parametrize("change", ["update users set is_active = false", "update tenants set status = 'deleting'"])
def test_a_link_of_somebody_who_may_not_come_in_opens_nothing(cast: Cast, change: str) -> None:
    token = reset_link(cast["user"])
    with system_scope("test: shut out"):
        db.session.execute(text(change))
        db.session.commit()
    assert links.find(token, RESET) is None
    assert refusal(lambda: links.reset(token, NEW)) == "link_ended"


@pytest.mark.parametrize("token", ["", "x", "a" * 10_000, "'; drop table users", "токен", "\x00"])
def test_a_made_up_token_opens_nothing(app: Flask, token: str) -> None:
    assert links.find(token, INVITATION) is None


def test_a_weak_password_does_not_use_the_link_up(guest: User) -> None:
    token = token_of(links.invite(guest))
    assert refusal(lambda: links.accept(token, "A", "ru", "short")) == "password_length"
    assert links.find(token, INVITATION) is not None


def test_a_name_that_deceives_does_not_use_the_link_up(guest: User) -> None:
    token = token_of(links.invite(guest))
    assert refusal(lambda: links.accept(token, "<b>A</b>", "ru", NEW)) == "bad_name"
    assert links.find(token, INVITATION) is not None


def test_whoever_has_a_password_or_is_disabled_is_not_invited(cast: Cast, guest: User) -> None:
    assert refusal(lambda: links.invite(cast["other"])) == "has_password"
    guest.is_active = False
    db.session.commit()
    assert refusal(lambda: links.invite(guest)) == "disabled"


def test_the_token_is_nowhere_in_the_database(guest: User) -> None:
    token = token_of(links.invite(guest))
    with system_scope("test: look at all rows"):
        known = db.session.execute(text("select tablename from pg_tables where schemaname = 'public'")).scalars()
        tables = [table for table in known if table != "alembic_version"]
        rows = [row for table in tables for row in db.session.execute(text(f"select x::text from {table} x")).scalars()]
    assert rows
    assert not [row for row in rows if token in row or token.encode().hex() in row]


def test_an_invitation_is_noted(guest: User, tenant: Tenant) -> None:
    token = token_of(links.invite(guest, "admin@example.com"))
    links.accept(token, "A", "ru", NEW)
    assert acts() == ["user_invited", "invitation_used", "password_changed"]
    assert db.session.get_one(User, guest.id, populate_existing=True).invited_at is not None


def answered(email: str) -> None:
    """Somebody asks, and the worker looks whose the address is."""
    forgotten.ask(email, "192.0.2.9")
    with system_scope("test: the request"):
        request_id = db.session.execute(select(StoredLetter.id).where(StoredLetter.user_id.is_(None))).scalar_one()
    forgotten.answer(request_id, {"forgot": email.strip().replace("\x00", "").lower(), "from": "192.0.2.9"})


def count(kind: type[StoredLetter | OneTimeLink]) -> int:
    with system_scope("test: rows"):
        return db.session.execute(select(func.count()).select_from(kind)).scalar_one()


def test_who_forgot_gets_a_link(cast: Cast) -> None:
    answered(" USER@example.com ")
    assert count(OneTimeLink) == 1
    assert count(StoredLetter) == 1
    assert acts() == ["reset_asked"]


def test_from_where_a_link_was_asked_for_is_written_down(cast: Cast) -> None:
    answered("user@example.com")
    with system_scope("test: the audit"):
        row = db.session.execute(select(AuditLog).where(AuditLog.act == "reset_asked")).scalar_one()
    assert_has(row, actor="unknown", address="192.0.2.9", tenant_id=cast["user"].tenant_id)


@pytest.mark.parametrize("email", ["nobody@example.com", "", "\x00", "user@example.com'--", "%"])
def test_of_a_stranger_nothing_is_kept(cast: Cast, email: str) -> None:
    answered(email)
    assert count(OneTimeLink) == 0
    assert count(StoredLetter) == 0
    assert acts() == []


def test_a_disabled_person_gets_no_link(cast: Cast) -> None:
    cast["user"].is_active = False
    db.session.commit()
    answered("user@example.com")
    assert count(OneTimeLink) == 0
    assert count(StoredLetter) == 0


def test_an_account_gets_three_letters_an_hour(cast: Cast) -> None:
    for _ in range(5):
        answered("user@example.com")
    assert count(StoredLetter) == 3
    with later(minutes=61):
        answered("user@example.com")
    assert count(StoredLetter) == 4


def test_a_request_is_answered_once(cast: Cast) -> None:
    forgotten.ask("user@example.com", "192.0.2.9")
    with system_scope("test: the request"):
        request_id = db.session.execute(select(StoredLetter.id)).scalar_one()
    asked = {"forgot": "user@example.com", "from": "192.0.2.9"}
    assert forgotten.answer(request_id, asked) is not None
    assert forgotten.answer(request_id, asked) is None


def test_links_that_ended_long_ago_are_forgotten(cast: Cast) -> None:
    reset_link(cast["user"])
    with later(days=2), system_scope("test: tidy up"):
        links.tidy()
    assert count(OneTimeLink) == 0
