"""flask tenants, flask users."""

from __future__ import annotations

import pyotp
import pytest
from sqlalchemy import select

from synkro.models import AuditLog, Tenant, User
from synkro.services.auth import accounts, second_factor, sessions
from synkro.services.companies import tenants
from synkro.tenancy import db, system_scope
from tests.cli.conftest import Cli
from tests.support.factor import HERE
from tests.support.having import assert_has

LONG = "a password of some length"


def test_tenant_is_created_with_its_zone(cli: Cli) -> None:
    done = cli("tenants", "create", "kitchens", "--name", "Кухни", "--timezone", "Asia/Aqtau")
    made = tenants.by_slug("kitchens")
    assert_has(done, exit_code=0, stdout="")
    assert made is not None
    assert_has(made, name="Кухни", timezone="Asia/Aqtau")


def test_zone_is_almaty_unless_another_is_named(cli: Cli) -> None:
    cli("tenants", "create", "kitchens", "--name", "Кухни")
    made = tenants.by_slug("kitchens")
    assert made is not None
    assert made.timezone == "Asia/Almaty"


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("Big Slug", "--name", "A"), "bad_slug", 2),
        (("ok", "--name", " "), "no_name", 2),
        (("ok", "--name", "A", "--timezone", "Mars/Base"), "bad_timezone", 2),
        (("alfa", "--name", "A"), "slug_taken", 1),
    ],
)
def test_refused_tenant_is_one_sentence(
    cli: Cli, tenant: Tenant, words: tuple[str, ...], code: str, exit_code: int
) -> None:
    done = cli("tenants", "create", *words)
    assert_has(done, exit_code=exit_code, stdout="")
    assert done.stderr.endswith(f"({code})\n")


def user(email: str) -> User | None:
    return db.session.execute(select(User).where(User.email == email)).scalar_one_or_none()


def test_user_gets_role_company_and_rights(cli: Cli, tenant: Tenant) -> None:
    words = ("a@example.com", "--role", "user", "--tenant", "alfa", "--can-manage-settings", "--password-stdin")
    done = cli("users", "create", *words, given=LONG)
    made = user("a@example.com")
    assert_has(done, exit_code=0, stdout="")
    assert made is not None
    assert_has(made, role="user", tenant_id=tenant.id, can_manage_settings=True)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_end_of_the_line_is_no_part_of_the_password(cli: Cli, end: str) -> None:
    cli("users", "create", "a@example.com", "--role", "super_admin", "--password-stdin", given=LONG + end)
    assert accounts.sign_in("a@example.com", LONG) is not None


@pytest.mark.parametrize("role", ["super_admin", "admin_lite"])
def test_staff_belongs_to_no_company(cli: Cli, tenant: Tenant, role: str) -> None:
    done = cli("users", "create", "a@example.com", "--role", role, "--tenant", "alfa", "--password-stdin", given=LONG)
    assert done.exit_code == 2
    assert user("a@example.com") is None


@pytest.mark.parametrize(
    ("words", "password", "code", "exit_code"),
    [
        (("a@example.com", "--role", "super_admin"), "short", "password_length", 2),
        (("a@example.com", "--role", "super_admin"), "", "password_length", 2),
        (("a@example.com", "--role", "super_admin"), "x" * 129, "password_length", 2),
        (("no-mail", "--role", "super_admin"), LONG, "bad_email", 2),
        (("a@example.com", "--role", "user"), LONG, "role_and_tenant", 2),
        (("a@example.com", "--role", "user", "--tenant", "nobody"), LONG, "no_tenant", 1),
    ],
)
def test_refused_user_is_one_sentence(
    cli: Cli, words: tuple[str, ...], password: str, code: str, exit_code: int
) -> None:
    done = cli("users", "create", *words, "--password-stdin", given=password)
    assert_has(done, exit_code=exit_code, stdout="")
    assert done.stderr.endswith(f"({code})\n")


def test_second_account_with_an_address_is_refused(cli: Cli) -> None:
    words = ("users", "create", "--role", "super_admin", "--password-stdin")
    assert cli(*words, "a@example.com", given=LONG).exit_code == 0
    assert cli(*words, "A@Example.com", given=LONG).exit_code == 1


@pytest.mark.parametrize(
    "words",
    [
        ("a@example.com", "--role", "super_admin"),
        ("a@example.com", "--password-stdin"),
        ("a@example.com", "--role", "king", "--password-stdin"),
        ("--role", "super_admin", "--password-stdin"),
    ],
)
def test_wrong_use_is_exit_2(cli: Cli, words: tuple[str, ...]) -> None:
    assert cli("users", "create", *words, given=LONG).exit_code == 2


def test_password_that_is_no_text_is_wrong_use(cli: Cli) -> None:
    words = ("a@example.com", "--role", "super_admin", "--password-stdin")
    assert cli("users", "create", *words, given=b"long enough \xff\xfe password").exit_code == 2


def test_second_factor_of_a_person_is_reset(cli: Cli, cast: dict[str, User]) -> None:
    admin = cast["admin"]
    second_factor.confirm(admin, HERE, pyotp.TOTP(second_factor.begin(admin, HERE).secret).now())
    token = sessions.start(admin, "192.0.2.1", "a browser")
    done = cli("users", "reset-second-factor", " ADMIN@example.com")
    assert_has(done, exit_code=0, stdout="")
    assert second_factor.state(admin.id) == second_factor.State(None, 0)
    assert sessions.load(token) is None
    with system_scope("test: the audit"):
        row = db.session.execute(select(AuditLog).order_by(AuditLog.id.desc()).limit(1)).scalar_one()
    assert_has(row, act="second_factor_reset", actor="command line", object_id=str(admin.id))


def test_second_factor_of_nobody_is_not_reset(cli: Cli, cast: dict[str, User]) -> None:
    done = cli("users", "reset-second-factor", "nobody@example.com")
    assert_has(done, exit_code=1, stdout="")
    assert done.stderr.endswith("(no_user)\n")


def test_an_account_is_disabled_and_enabled(cli: Cli, cast: dict[str, User]) -> None:
    for word, active in (("disable", False), ("enable", True)):
        done = cli("users", word, "USER@example.com")
        db.session.expire_all()
        made = user("user@example.com")
        assert made is not None
        assert done.exit_code == 0
        assert made.is_active == active


@pytest.mark.parametrize("word", ["disable", "enable"])
def test_an_account_of_nobody_is_told(cli: Cli, word: str) -> None:
    done = cli("users", word, "nobody@example.com")
    assert done.exit_code == 1
    assert done.stderr.endswith("(no_user)\n")


def test_the_last_super_admin_is_not_disabled(cli: Cli, cast: dict[str, User]) -> None:
    done = cli("users", "disable", "admin@example.com")
    assert done.exit_code == 1
    assert done.stderr.endswith("(last_super_admin)\n")


def test_a_company_is_paused_and_resumed(cli: Cli, tenant: Tenant) -> None:
    for word, status in (("pause", "paused"), ("resume", "active")):
        assert cli("tenants", word, "alfa").exit_code == 0
        db.session.expire_all()
        assert tenants.get(tenant.id).status == status
