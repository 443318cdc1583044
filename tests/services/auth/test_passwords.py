"""Which passwords are good enough, and what a new one ends."""

from __future__ import annotations

import secrets
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from synkro.errors import AppError
from synkro.models import AuditLog, Credential, Tenant, User
from synkro.services.auth import accounts, guessing, passwords, sessions
from synkro.services.auth.guessing import is_guessable
from synkro.tenancy import db, system_scope
from tests.conftest import PASSWORD
from tests.support.having import assert_has

Cast = dict[str, User]
NEW = "kettle anchor violet ninety"


def refusal(password: str, email: str = "a.satpaeva@mebel-almaty.kz", company: str = "Уютные Кухни") -> str:
    try:
        passwords.verify(password, email=email, company=company)
    except AppError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "кошка доска окно липа",
        "Қазақша құпия сөз",
        "тест 密码 🐘 пароль?",
        "  spaces at both ends  ",
        "x7#kQ9!vLp2m",
        "836492017465",
        "\tq8Zk2\x00Wn5rTb",
    ],
)
def test_any_language_and_any_characters_will_do(password: str) -> None:
    assert refusal(password) == ""


@pytest.mark.parametrize(("length", "code"), [(11, "password_length"), (12, ""), (128, ""), (129, "password_length")])
def test_length_is_counted_in_characters(length: int, code: str) -> None:
    letters = "щфлюцяыгънжё" + "".join(chr(0x430 + n * n * 7 % 32) + chr(0x4E00 + n * 37) for n in range(60))
    assert refusal(letters[:length]) == code


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "qwerty123456",
        "1234567890ab",
        "aaaaaaaaaaaa",
        "abcabcabcabcab",
        "Password2024!",
        "P@ssw0rd2024",
        "Iloveyou12345",
        "monkey dragon",
        "парольпароль",
        "Пароль123456",
        "йцукенгшщзхъ",
        "абвгдеёжзийк",
        "gfhjkmgfhjkm2",
        "qazwsxedcrfv",
        "zxcvbnm,./12",
        "kvtzpqkvtzpq",
        "987654321098",
        "19900415 1991",
    ],
)
def test_what_is_guessed_first_is_refused(password: str) -> None:
    assert refusal(password) == "password_common"


@pytest.mark.parametrize(
    "password",
    [
        "Synkro-2026!",
        "synkro synkro 1",
        "Satpaeva2026",
        "mebel-almaty1",
        "Уютные Кухни",
        "КухниУютные26",
        "amocrm-radist",
    ],
)
def test_own_names_make_no_password(password: str) -> None:
    assert refusal(password) == "password_common"


def test_own_names_may_stand_in_a_good_one() -> None:
    assert refusal("Satpaeva anchor violet kettle ninety") == ""


def test_list_has_three_thousand_that_would_be_long_enough() -> None:
    assert sum(len(word) >= passwords.SHORTEST for word in guessing.common()) >= 3_000


def test_every_entry_of_the_list_is_refused() -> None:
    assert all(map(is_guessable, guessing.common()))


def test_list_holds_no_e_mails_and_no_telephones() -> None:
    lines = Path(guessing.__file__).with_name("common_passwords.txt").read_text("ascii").splitlines()
    assert not [line for line in lines if ("@" in line and "." in line) or (line.isdigit() and len(line) >= 10)]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=140))
def test_every_text_is_judged(password: str) -> None:
    assert refusal(password) in ("", "password_length", "password_common")


@given(st.text(string.ascii_letters + string.digits, min_size=1, max_size=7), st.integers(20, 40))
def test_short_part_gets_no_better_by_repetition(part: str, times: int) -> None:
    assert is_guessable((part * times)[:128])


def test_random_ones_pass() -> None:
    assert not [word for word in (secrets.token_urlsafe(12) for _ in range(300)) if refusal(word)]


def test_half_a_character_is_refused() -> None:
    assert refusal("kettle anchor \ud83d violet") == "password_characters"


def test_refusal_does_not_repeat_the_password() -> None:
    with pytest.raises(AppError) as error:
        passwords.verify("passwordpassword", email="", company="")
    assert "passwordpassword" not in f"{error.value.says}{error.value}"


def test_old_one_opens_nothing_any_more(cast: Cast) -> None:
    passwords.change(cast["user"], NEW, keep=None)
    assert accounts.sign_in("user@example.com", PASSWORD) is None
    assert accounts.sign_in("user@example.com", NEW) is not None


def test_all_sessions_but_the_kept_one_end(cast: Cast) -> None:
    kept, gone = (sessions.start(cast["user"], "192.0.2.1", "a browser") for _ in range(2))
    foreign = sessions.start(cast["other"], "192.0.2.1", "a browser")
    keep = sessions.load(kept).current_session.id  # type: ignore[union-attr]
    passwords.change(cast["user"], NEW, keep=keep)
    assert [sessions.load(token) is not None for token in (kept, gone, foreign)] == [True, False, True]


def test_weak_one_changes_nothing(cast: Cast) -> None:
    token = sessions.start(cast["user"], "192.0.2.1", "a browser")
    with pytest.raises(AppError, match="password_common"):
        passwords.change(cast["user"], "passwordpassword", keep=None)
    assert sessions.load(token) is not None
    assert accounts.sign_in("user@example.com", PASSWORD) is not None


def test_names_of_the_person_and_the_company_are_known(cast: Cast, tenant: Tenant) -> None:
    tenant.name = "Kitchens of Almaty"
    db.session.commit()
    with pytest.raises(AppError, match="password_common"):
        passwords.change(cast["user"], "kitchens-almaty-1", keep=None)


def test_change_is_written_down_in_the_chain_of_the_company(cast: Cast, tenant: Tenant) -> None:
    passwords.change(cast["user"], NEW, keep=None, actor="a link")
    with system_scope("test: look at the audit log"):
        row = db.session.execute(select(AuditLog)).scalar_one()
    assert_has(row, act="password_changed", actor="a link", tenant_id=tenant.id)
    assert NEW not in str(vars(row))


def test_the_one_of_before_is_no_new_one(cast: Cast) -> None:
    token = sessions.start(cast["user"], "192.0.2.1", "a browser")
    with pytest.raises(AppError, match="password_same"):
        passwords.change(cast["user"], PASSWORD, keep=None)
    assert sessions.load(token) is not None


def test_moment_of_the_change_is_kept(cast: Cast) -> None:
    with system_scope("test: look at the credentials"):
        before = db.session.get_one(Credential, cast["user"].id).password_changed_at
    passwords.change(cast["user"], NEW, keep=None)
    with system_scope("test: look at the credentials"):
        assert db.session.get_one(Credential, cast["user"].id).password_changed_at > before
