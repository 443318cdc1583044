from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from synkro.errors import AppError
from synkro.models import AuditLog, Credential, Tenant, User
from synkro.models.states import Role
from synkro.services import accounts
from synkro.tenancy import db, system_scope
from tests.conftest import PASSWORD


def made(tenant: Tenant | None, email: str = "ann@example.com", role: Role = Role.USER) -> User:
    return db.session.get_one(User, accounts.create(email, PASSWORD, role, tenant).id)


def acts() -> list[tuple[str, str, uuid.UUID | None]]:
    with system_scope("test"):
        rows = db.session.execute(select(AuditLog).order_by(AuditLog.id)).scalars()
        return [(row.act, row.actor, row.tenant_id) for row in rows]


def test_the_right_pair_signs_in(tenant: Tenant) -> None:
    user = made(tenant)
    found = accounts.sign_in("ann@example.com", PASSWORD)
    assert found is not None
    assert found.id == user.id
    assert found.last_sign_in_at is not None


@pytest.mark.parametrize("typed", ["ANN@Example.com", "  ann@example.com "])
def test_the_case_of_an_address_does_not_matter(tenant: Tenant, typed: str) -> None:
    made(tenant)
    assert accounts.sign_in(typed, PASSWORD) is not None


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ann@example.com", "wrong password"),
        ("bob@example.com", PASSWORD),
        ("", ""),
        ("ann@example.com", "x" * 100_000),
    ],
)
def test_a_wrong_pair_does_not(tenant: Tenant, email: str, password: str) -> None:
    made(tenant)
    assert accounts.sign_in(email, password) is None


def test_a_long_password_is_not_cut_to_a_right_one(tenant: Tenant) -> None:
    accounts.create("ann@example.com", "p" * 128, Role.USER, tenant)
    assert accounts.sign_in("ann@example.com", "p" * 128) is not None
    assert accounts.sign_in("ann@example.com", "p" * 129) is None


def test_a_disabled_person_is_out(tenant: Tenant) -> None:
    user = made(tenant)
    user.is_active = False
    db.session.commit()
    assert accounts.sign_in("ann@example.com", PASSWORD) is None


def test_the_password_is_not_stored(tenant: Tenant) -> None:
    user = made(tenant)
    with system_scope("test: look at the hash"):
        stored = db.session.get_one(Credential, user.id).password_hash
    assert PASSWORD not in stored
    assert stored.startswith("$argon2id$")


@pytest.mark.parametrize("role", [Role.SUPER_ADMIN, Role.ADMIN_LITE])
def test_staff_belong_to_no_company_and_users_to_one(tenant: Tenant, role: Role) -> None:
    with pytest.raises(AppError, match="role_and_tenant"):
        made(tenant, role=role)
    with pytest.raises(AppError, match="role_and_tenant"):
        made(None)
    assert made(None, role=role).tenant_id is None


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 129])
def test_a_short_or_endless_password_is_refused(tenant: Tenant, password: str) -> None:
    with pytest.raises(AppError, match="password_length"):
        accounts.create("ann@example.com", password, Role.USER, tenant)


@pytest.mark.parametrize("email", ["", "ann", "ann@", "a b@example.com", "ann@example.com\nbcc: all@example.com"])
def test_what_is_no_address_is_refused(tenant: Tenant, email: str) -> None:
    with pytest.raises(AppError, match="bad_email"):
        made(tenant, email)


@pytest.mark.parametrize("second", ["ann@example.com", "Ann@Example.COM"])
def test_an_address_is_taken_once(tenant: Tenant, other_tenant: Tenant, second: str) -> None:
    made(tenant)
    with pytest.raises(AppError, match="email_taken"):
        made(other_tenant, second)


def test_every_entry_and_every_refusal_is_written_down(tenant: Tenant) -> None:
    made(tenant)
    accounts.sign_in("ann@example.com", PASSWORD)
    accounts.sign_in("ann@example.com", "wrong password")
    accounts.sign_in("stranger@example.com", PASSWORD)
    assert [(act, whose) for act, _, whose in acts()] == [
        ("user_created", tenant.id),
        ("signed_in", tenant.id),
        ("sign_in_refused", tenant.id),
        ("sign_in_refused", None),
    ]


def test_the_log_holds_no_password(tenant: Tenant) -> None:
    made(tenant)
    accounts.sign_in("ann@example.com", "my other password")
    with system_scope("test"):
        rows = db.session.execute(select(AuditLog)).scalars().all()
    assert not any("password" in str(vars(row)) and "my other" in str(vars(row)) for row in rows)


def test_a_theme_that_is_none_is_the_systems(tenant: Tenant) -> None:
    user = made(tenant)
    for wanted, kept in (("dark", "dark"), ("<script>", ""), ("light", "light")):
        accounts.set_theme(user, wanted)
        db.session.expire_all()
        assert user.theme == kept
