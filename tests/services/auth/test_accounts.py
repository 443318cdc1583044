from __future__ import annotations

import uuid

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import select

from synkro.errors import AppError
from synkro.models import AuditLog, Credential, Tenant, User
from synkro.models.states import Role
from synkro.services.auth import accounts, passwords, sessions
from synkro.services.companies import tenants
from synkro.tenancy import db, system_scope
from tests.conftest import DECOY_PASSWORD, PASSWORD, REAL_DECOY


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


def test_nobody_of_a_company_that_is_being_deleted_signs_in(tenant: Tenant) -> None:
    made(tenant)
    tenants.delete(None, tenant.id, tenant.slug)
    with pytest.raises(AppError, match="tenant_deleting"):
        accounts.sign_in("ann@example.com", PASSWORD)
    assert accounts.sign_in("ann@example.com", "not the password") is None
    told = [act for act, _, _ in acts()]
    assert told.count("sign_in_refused") == 2
    assert "signed_in" not in told


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
    longest = (PASSWORD * 5)[:127] + "!"
    accounts.create("ann@example.com", longest, Role.USER, tenant)
    assert accounts.sign_in("ann@example.com", longest) is not None
    assert accounts.sign_in("ann@example.com", longest + "!") is None


def test_a_disabled_person_is_out(tenant: Tenant) -> None:
    user = made(tenant)
    user.is_active = False
    db.session.commit()
    assert accounts.sign_in("ann@example.com", PASSWORD) is None


@pytest.mark.parametrize("email", ["İst@example.com", "Иван@example.com"])
def test_an_address_opens_however_a_language_spells_it_small(tenant: Tenant, email: str) -> None:
    """Python makes two characters of the first letter, PostgreSQL one: only one of them may judge."""
    accounts.create(email, PASSWORD, Role.USER, tenant)
    assert accounts.sign_in(email, PASSWORD) is not None


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


def test_a_password_that_is_guessed_first_is_refused(tenant: Tenant) -> None:
    with pytest.raises(AppError, match="password_common"):
        accounts.create("ann@example.com", "qwerty123456", Role.USER, tenant)


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that passwords are compared with, as they are."""
    seen: list[str] = []
    real = PasswordHasher.verify

    def watched(self: PasswordHasher, stored: str, password: bytes) -> bool:
        seen.append(stored)
        return real(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    return seen


@pytest.mark.parametrize("email", ["ann@example.com", "nobody@example.com", "invited@example.com", "away@example.com"])
@pytest.mark.parametrize("password", [PASSWORD, "wrong password", "x" * 100_000])
def test_every_try_costs_one_hash(tenant: Tenant, verified: list[str], email: str, password: str) -> None:
    """So the time tells nobody who has an account. The invited one has no password yet, the one away is disabled."""
    made(tenant)
    made(tenant, "away@example.com").is_active = False
    db.session.add(invited := User(email="invited@example.com", role=Role.USER, tenant_id=tenant.id))
    db.session.commit()
    with system_scope("test: no password yet"):
        db.session.add(Credential(user_id=invited.id))
        db.session.commit()
    accounts.sign_in(email, password)
    assert len(verified) == 1


def test_the_decoy_costs_what_a_hash_costs(real_hasher: PasswordHasher) -> None:
    assert not real_hasher.check_needs_rehash(REAL_DECOY)
    with pytest.raises(VerifyMismatchError):
        real_hasher.verify(REAL_DECOY, PASSWORD)


def test_nobody_has_the_password_of_the_decoy(tenant: Tenant) -> None:
    assert accounts.sign_in("nobody@example.com", DECOY_PASSWORD) is None


def test_a_hash_of_old_parameters_is_renewed_at_the_next_entry(tenant: Tenant) -> None:
    user, old = made(tenant), PasswordHasher(time_cost=1).hash(PASSWORD)
    set_hash(user, old)
    assert accounts.sign_in("ann@example.com", "wrong password") is None
    assert hash_of(user) == old
    assert accounts.sign_in("ann@example.com", PASSWORD) is not None
    assert not passwords.hasher.check_needs_rehash(hash_of(user))
    assert accounts.sign_in("ann@example.com", PASSWORD) is not None


def test_a_hash_of_the_product_is_dear(
    tenant: Tenant, real_hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 9106, section 4: the second recommended option. Everywhere else tests hash cheaply."""
    monkeypatch.setattr(passwords, "hasher", real_hasher)
    user = made(tenant)
    assert hash_of(user).startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert accounts.sign_in("ann@example.com", PASSWORD) is not None


def set_hash(user: User, stored: str) -> None:
    with system_scope("test: put a hash in"):
        db.session.get_one(Credential, user.id).password_hash = stored
        db.session.commit()


def hash_of(user: User) -> str:
    with system_scope("test: look at the hash"):
        return db.session.get_one(Credential, user.id).password_hash


@pytest.mark.parametrize(("email", "whose"), [("ann@example.com", True), ("stranger@example.com", False)])
def test_a_limit_is_written_down_without_what_was_typed(tenant: Tenant, email: str, whose: bool) -> None:
    made(tenant)
    accounts.note_limited(email)
    actor = email if whose else "unknown"
    act, by, of_tenant = acts()[-1]
    assert act == "sign_in_limited"
    assert by == actor
    assert of_tenant == (tenant.id if whose else None)


def test_a_password_is_shown_once_more(tenant: Tenant) -> None:
    user = made(tenant)
    assert accounts.is_password(user, PASSWORD)
    assert not accounts.is_password(user, "wrong password")
    assert [act for act, _, _ in acts()][1:] == ["password_confirmed", "password_refused"]


def test_whoever_has_no_password_confirms_nothing(tenant: Tenant) -> None:
    user = made(tenant)
    set_hash(user, "")
    assert not accounts.is_password(user, "")
    assert not accounts.is_password(user, "nobody has this password")


def test_ending_sessions_is_written_down(tenant: Tenant) -> None:
    user = made(tenant)
    for _ in range(3):
        sessions.start(user, "192.0.2.1", "a browser")
    first, second, _ = sessions.of(user.id)
    assert accounts.end_session(user, second.id)
    assert not accounts.end_session(user, second.id)
    accounts.end_other_sessions(user, keep=first.id)
    assert [one.id for one in sessions.of(user.id)] == [first.id]
    # named also where the second factor is due and nobody counts as signed in
    assert acts()[1:] == [(act, user.email, tenant.id) for act in ("session_ended", "signed_out_elsewhere")]


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
