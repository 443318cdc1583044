"""People: who may do what to whom, what ends with it, and what is written down."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, text

from synkro.errors import AppError
from synkro.models import AuditLog, Credential, LinkPurpose, Report, StoredLetter, Tenant, User
from synkro.models.states import Role, TenantStatus
from synkro.services.auth import accounts, links, sessions
from synkro.services.companies import people
from synkro.services.mail import outbox
from synkro.services.reports import reports
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support.having import assert_has
from tests.support.rows import make_report
from tests.support.runs_by_hand import at_once

Cast = dict[str, User]
Act = Callable[[User | None, User], object]

LITE_ACTS: dict[str, Act] = {
    "rename": lambda by, person: people.rename(by, person.id, "Another"),
    "disable": lambda by, person: people.disable(by, person.id),
    "enable": lambda by, person: people.enable(by, person.id),
    "make_reset_link": lambda by, person: people.make_reset_link(by, person.id),
}
CHIEF_ACTS: dict[str, Act] = {
    "delete": lambda by, person: people.delete(by, person.id),
    "sign_out": lambda by, person: people.sign_out_everywhere(by, person.id),
    "reset_factor": lambda by, person: people.reset_factor(by, person.id),
    "promote": lambda by, person: people.set_access(by, person.id, Role.SUPER_ADMIN, None, can_manage_settings=False),
}
ACTS = {**LITE_ACTS, **CHIEF_ACTS}


def every_user() -> list[tuple[Any, ...]]:
    rows = db.session.execute(text("select id, name, role, tenant_id, can_manage_settings, is_active from users"))
    found = sorted(tuple(row) for row in rows)
    db.session.commit()
    return found


def found(person: User) -> User:
    db.session.expire_all()
    row = db.session.get(User, person.id)
    assert row is not None
    return row


def noted(act: str) -> list[AuditLog]:
    with system_scope("test: look at the audit log"):
        return list(db.session.execute(select(AuditLog).where(AuditLog.act == act).order_by(AuditLog.seq)).scalars())


def begin_session(person: User) -> str:
    return sessions.start(person, "192.0.2.1", "a browser")


@pytest.mark.parametrize("act", sorted(ACTS))
@pytest.mark.parametrize("whom", ["lite", "admin"])
def test_lower_staff_never_touch_staff(cast: Cast, act: str, whom: str) -> None:
    second = User(email="lite2@example.com", role=Role.ADMIN_LITE)
    db.session.add(second)
    db.session.commit()
    before = every_user()
    with pytest.raises(AppError, match="not_allowed") as refused:
        ACTS[act](second, cast[whom])
    assert refused.value.status == 403
    assert every_user() == before


@pytest.mark.parametrize("act", sorted(CHIEF_ACTS))
def test_lower_staff_do_nothing_final_to_users(cast: Cast, act: str) -> None:
    before = every_user()
    with pytest.raises(AppError, match="not_allowed"):
        CHIEF_ACTS[act](cast["lite"], cast["user"])
    assert every_user() == before


@pytest.mark.parametrize("act", sorted(ACTS))
@pytest.mark.parametrize("by", ["user", "settings", "other"])
def test_users_do_nothing_to_anybody(cast: Cast, act: str, by: str) -> None:
    before = every_user()
    with pytest.raises(AppError, match="not_allowed"):
        ACTS[act](cast[by], cast["user"])
    assert every_user() == before


def test_overstepping_is_written_down(cast: Cast) -> None:
    with pytest.raises(AppError):
        people.delete(cast["lite"], cast["user"].id)
    (row,) = noted("overstepped")
    assert_has(row, actor="lite@example.com", object_id=str(cast["user"].id), details={"tried": "user_deleted"})


@pytest.mark.parametrize("by", ["lite", "admin"])
def test_staff_rename_users(cast: Cast, by: str) -> None:
    people.rename(cast[by], cast["user"].id, "  Дана   Мухтарова ")
    assert found(cast["user"]).name == "Дана Мухтарова"


@pytest.mark.parametrize("by", ["lite", "admin"])
def test_the_disabled_are_out_at_once_and_in_again_when_enabled(cast: Cast, by: str) -> None:
    token = begin_session(cast["user"])
    people.disable(cast[by], cast["user"].id)
    assert found(cast["user"]).is_active is False
    assert sessions.of(cast["user"].id) == []
    people.enable(cast[by], cast["user"].id)
    assert found(cast["user"]).is_active
    assert sessions.load(token) is None


def test_disabling_twice_is_written_down_once(cast: Cast) -> None:
    for _ in range(2):
        people.disable(cast["admin"], cast["user"].id)
    (row,) = noted("user_disabled")
    assert_has(row, actor="admin@example.com", tenant_id=cast["user"].tenant_id)


@pytest.mark.parametrize("act", ["disable", "delete", "promote", "reset_factor"])
def test_nobody_shuts_himself_out(cast: Cast, act: str) -> None:
    admin = cast["admin"]
    chief = User(email="admin2@example.com", role=Role.SUPER_ADMIN)
    db.session.add(chief)
    db.session.commit()
    demote: Act = lambda by, person: people.set_access(by, person.id, Role.ADMIN_LITE, None, can_manage_settings=False)  # noqa: E731
    with pytest.raises(AppError, match="yourself") as refused:
        {**ACTS, "promote": demote}[act](admin, admin)
    assert refused.value.status == 409
    assert found(admin).role == Role.SUPER_ADMIN


@pytest.mark.parametrize("act", ["disable", "delete", "demote"])
def test_the_last_chief_stays_whoever_asks(cast: Cast, act: str) -> None:
    demote: Act = lambda by, person: people.set_access(by, person.id, Role.ADMIN_LITE, None, can_manage_settings=False)  # noqa: E731
    with pytest.raises(AppError, match="last_super_admin"):
        {**ACTS, "demote": demote}[act](None, cast["admin"])
    assert found(cast["admin"]).is_active


def test_a_chief_who_is_disabled_does_not_count(cast: Cast) -> None:
    db.session.add(User(email="admin2@example.com", role=Role.SUPER_ADMIN, is_active=False))
    db.session.commit()
    with pytest.raises(AppError, match="last_super_admin"):
        people.disable(None, cast["admin"].id)


def test_a_person_of_no_id_is_told(cast: Cast) -> None:
    for act in ACTS.values():
        with pytest.raises(AppError, match="no_user"):
            act(cast["admin"], User(id=uuid.uuid4()))


def test_chiefs_who_demote_each_other_at_once_leave_one(app: Flask, cast: Cast, tenant: Tenant) -> None:
    chiefs = [cast["admin"], *(User(email=f"chief{n}@example.com", role=Role.SUPER_ADMIN) for n in range(3))]
    db.session.add_all(chiefs[1:])
    db.session.commit()

    def demote(n: int) -> str:
        try:
            people.set_access(chiefs[n], chiefs[n - 1].id, Role.ADMIN_LITE, None, can_manage_settings=False)
        except AppError as refused:
            return refused.code
        return ""

    told = at_once(app, tenant, len(chiefs), demote)
    left = db.session.execute(select(User).where(User.role == Role.SUPER_ADMIN)).scalars().all()
    assert len(left) >= 1
    assert told.count("") == len(chiefs) - len(left)
    # whoever had been demoted before his turn came could do nothing any more
    assert set(told) <= {"", "not_allowed"}
    assert "not_allowed" in told


def test_a_change_of_role_ends_the_sessions_and_names_both_roles(cast: Cast) -> None:
    token = begin_session(cast["user"])
    people.set_access(cast["admin"], cast["user"].id, Role.ADMIN_LITE, None, can_manage_settings=True)
    changed = found(cast["user"])
    assert_has(changed, role=Role.ADMIN_LITE, tenant_id=None, can_manage_settings=False)
    assert sessions.load(token) is None
    rows = noted("user_access_changed")
    assert {row.tenant_id for row in rows} == {cast["settings"].tenant_id, None}
    assert [row.details for row in rows] == [{"before": "user", "after": "admin_lite"}] * 2


def test_the_right_to_manage_settings_is_given_and_taken(cast: Cast, tenant: Tenant) -> None:
    for right in (True, False):
        people.set_access(cast["admin"], cast["user"].id, Role.USER, tenant, can_manage_settings=right)
        assert found(cast["user"]).can_manage_settings is right
    assert [row.details["after"] for row in noted("user_access_changed")] == ["settings", "user"]


def test_saving_the_same_access_signs_nobody_out(cast: Cast, tenant: Tenant) -> None:
    token = begin_session(cast["user"])
    people.set_access(cast["admin"], cast["user"].id, Role.USER, tenant, can_manage_settings=False)
    assert sessions.load(token) is not None
    assert noted("user_access_changed") == []


def test_a_role_has_to_fit_the_company(cast: Cast, tenant: Tenant) -> None:
    for role, company in ((Role.USER, None), (Role.ADMIN_LITE, tenant)):
        with pytest.raises(AppError, match="role_and_tenant"):
            people.set_access(cast["admin"], cast["user"].id, role, company, can_manage_settings=False)


def test_nobody_joins_a_company_that_is_being_deleted(cast: Cast, other_tenant: Tenant) -> None:
    other_tenant.status = TenantStatus.DELETING
    db.session.commit()
    with pytest.raises(AppError, match="tenant_deleting"):
        people.set_access(cast["admin"], cast["user"].id, Role.USER, other_tenant, can_manage_settings=False)


OVERTAKEN: dict[str, Act] = {
    "disabled and enabled": lambda by, person: (people.disable(by, person.id), people.enable(by, person.id)),
    "promoted": lambda by, person: people.set_access(by, person.id, Role.SUPER_ADMIN, None, can_manage_settings=False),
}


@pytest.mark.parametrize("act", sorted(OVERTAKEN))
def test_an_old_invitation_opens_nothing_after_rights_have_changed(cast: Cast, tenant: Tenant, act: str) -> None:
    person, url = people.invite(cast["admin"], "new@example.com", "", Role.USER, tenant)
    token = parse_qs(urlsplit(url).query)["t"][0]
    assert links.find(token, LinkPurpose.INVITATION)
    OVERTAKEN[act](cast["admin"], person)
    assert links.find(token, LinkPurpose.INVITATION) is None
    again = parse_qs(urlsplit(people.invite_again(cast["admin"], person.id)).query)["t"][0]
    assert links.find(again, LinkPurpose.INVITATION)


def test_what_a_deleted_person_wrote_stays_without_a_name(cast: Cast, tenant: Tenant) -> None:
    report_id = make_report(tenant)
    with tenant_scope(tenant.id):
        for name in ("user", "settings"):
            reports.comment(db.session.get_one(Report, report_id), cast[name], f"by {name}")
    people.delete(cast["admin"], cast["user"].id)
    with tenant_scope(tenant.id):
        kept = [(one.author, one.body) for one in reports.comments(report_id)]
    assert kept == [("", "by user"), ("Settings", "by settings")]


def test_a_person_is_deleted_with_all_that_opens_the_door(cast: Cast) -> None:
    token, person_id = begin_session(cast["user"]), cast["user"].id
    people.delete(cast["admin"], person_id)
    assert sessions.load(token) is None
    with system_scope("test: look at what is left"):
        assert db.session.get(Credential, person_id) is None
    (row,) = noted("user_deleted")
    assert row.details == {"before": "user"}


def test_signing_out_everywhere_ends_every_session(cast: Cast) -> None:
    tokens = [begin_session(cast["user"]) for _ in range(3)]
    other = begin_session(cast["settings"])
    people.sign_out_everywhere(cast["admin"], cast["user"].id)
    assert [sessions.load(token) for token in tokens] == [None] * 3
    assert sessions.load(other) is not None


def test_a_second_factor_is_reset_by_a_chief(cast: Cast) -> None:
    with system_scope("test: a second factor"):
        db.session.execute(text("update credentials set totp_secret = 'x', totp_confirmed_at = now()"))
        db.session.commit()
    people.reset_factor(cast["admin"], cast["user"].id)
    with system_scope("test: look at the second factor"):
        assert db.session.get_one(Credential, cast["user"].id).totp_confirmed_at is None
        assert db.session.get_one(Credential, cast["settings"].id).totp_confirmed_at is not None


def token_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["t"][0]


def letters_to(person: User) -> list[uuid.UUID]:
    with system_scope("test: letters"):
        return list(db.session.execute(select(StoredLetter.id).where(StoredLetter.user_id == person.id)).scalars())


@pytest.mark.parametrize(("by", "whom"), [("lite", "user"), ("admin", "user"), ("admin", "lite")])
def test_a_link_to_a_new_password_sets_one(cast: Cast, by: str, whom: str) -> None:
    url = people.make_reset_link(cast[by], cast[whom].id)
    assert urlsplit(url).path == "/reset"
    links.reset(token_of(url), "kettle anchor violet ninety")
    assert accounts.sign_in(cast[whom].email, "kettle anchor violet ninety") is not None


def test_a_link_to_a_new_password_ends_the_older_one(cast: Cast) -> None:
    first, second = (token_of(people.make_reset_link(cast["admin"], cast["user"].id)) for _ in range(2))
    assert links.find(first, LinkPurpose.RESET) is None
    assert links.find(second, LinkPurpose.RESET) is not None


def test_of_links_that_are_made_at_once_one_stays(app: Flask, cast: Cast, tenant: Tenant) -> None:
    made = at_once(app, tenant, 4, lambda _n: people.make_reset_link(cast["admin"], cast["user"].id))
    assert sum(links.find(token_of(url), LinkPurpose.RESET) is not None for url in made) == 1


def test_a_link_to_a_new_password_is_written_down_without_the_link(cast: Cast) -> None:
    token = token_of(people.make_reset_link(cast["lite"], cast["user"].id))
    (row,) = noted("reset_link_made")
    assert_has(row, actor="lite@example.com", object_id=str(cast["user"].id), tenant_id=cast["user"].tenant_id)
    assert token not in str(vars(row))


def test_the_letter_brings_the_same_link(cast: Cast) -> None:
    url = people.make_reset_link(cast["admin"], cast["user"].id)
    (letter_id,) = letters_to(cast["user"])
    letter = outbox.claim(letter_id)
    assert letter is not None
    assert letter.content["to"] == "user@example.com"
    assert url in letter.content["text"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("update credentials set password_hash = ''", "no_password"),
        ("delete from credentials", "no_password"),
        ("update users set is_active = false where email = 'user@example.com'", "disabled"),
        ("update tenants set status = 'deleting'", "tenant_deleting"),
    ],
)
def test_who_could_not_use_a_link_gets_none(cast: Cast, change: str, code: str) -> None:
    with system_scope("test: a person who may not come in"):
        db.session.execute(text(change))
        db.session.commit()
    with pytest.raises(AppError, match=code) as refused:
        people.make_reset_link(cast["admin"], cast["user"].id)
    assert refused.value.status == 409
    assert letters_to(cast["user"]) == []
    assert noted("reset_link_made") == []
