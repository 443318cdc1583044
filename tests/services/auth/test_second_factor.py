"""The second factor: one use per code, few guesses, ten ways past a lost phone, and a reset that leaves nothing."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st
from redis import Redis
from sqlalchemy import func, select, text

from synkro.crypto import CannotOpen, Vault
from synkro.errors import AppError
from synkro.extensions import redis, remember, settings, vault
from synkro.models import RecoveryCode, StoredLetter, User
from synkro.models.states import Role
from synkro.services.auth import accounts, passwords, second_factor, sessions
from synkro.services.companies import people
from synkro.tenancy import db, system_scope
from tests.support.factor import HERE, NOON, Cast, acts, code_at, enrolled, secret_of, stored
from tests.support.having import assert_has


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def user(cast: Cast, clock: time_machine.Coordinates) -> User:
    return cast["user"]


# ---- setting up


def test_setup_names_the_product_and_the_person(user: User) -> None:
    setup = second_factor.begin(user, HERE)
    read = pyotp.parse_uri(setup.uri)
    assert_has(read, secret=setup.secret, issuer="Synkro", name=user.email)


def test_a_setup_that_is_begun_again_is_the_same(user: User) -> None:
    assert second_factor.begin(user, HERE) == second_factor.begin(user, HERE)


def test_a_secret_that_was_begun_elsewhere_is_not_taken(user: User) -> None:
    """Somebody who was in once leaves nothing behind that the owner sets up."""
    planted = second_factor.begin(user, uuid.UUID(int=2)).secret
    assert second_factor.begin(user, HERE).secret != planted
    with pytest.raises(AppError, match="wrong_code"):
        second_factor.confirm(user, HERE, pyotp.TOTP(planted).at(NOON))


def test_a_secret_of_another_session_is_not_confirmed(user: User) -> None:
    planted = second_factor.begin(user, HERE).secret
    with pytest.raises(AppError, match="wrong_code"):
        second_factor.confirm(user, uuid.UUID(int=2), pyotp.TOTP(planted).at(NOON))


@pytest.mark.parametrize(("minutes", "is_kept"), [(30, True), (30.1, False)])
def test_a_setup_that_is_left_lying_begins_anew(
    user: User, clock: time_machine.Coordinates, minutes: float, is_kept: bool
) -> None:
    old = second_factor.begin(user, HERE).secret
    clock.shift(timedelta(minutes=minutes))
    assert (second_factor.begin(user, HERE).secret == old) is is_kept


ENDINGS: dict[str, Callable[[User], object]] = {
    "password": lambda user: passwords.change(user, "kettle anchor violet ninety", keep=HERE),
    "rights": lambda user: people.set_access(None, user.id, Role.ADMIN_LITE, None, can_manage_settings=False),
    "everywhere": lambda user: people.sign_out_everywhere(None, user.id),
    "elsewhere": lambda user: accounts.end_other_sessions(user, keep=HERE),
    "disabled": lambda user: people.disable(None, user.id),
}


@pytest.mark.parametrize("ending", sorted(ENDINGS))
def test_a_setup_that_was_begun_ends_with_the_sessions(user: User, ending: str) -> None:
    second_factor.begin(user, HERE)
    ENDINGS[ending](user)
    assert_has(stored(user), totp_secret=None, totp_begun_at=None)


@pytest.mark.parametrize("ending", sorted({*ENDINGS} - {"rights", "disabled"}))
def test_a_second_factor_that_counts_stays(user: User, ending: str) -> None:
    enrolled(user)
    ENDINGS[ending](user)
    assert second_factor.state(user.id).confirmed_at


def test_secrets_differ_between_people(cast: Cast) -> None:
    assert second_factor.begin(cast["user"], HERE).secret != second_factor.begin(cast["other"], HERE).secret


def test_secret_is_sealed_for_this_person(cast: Cast) -> None:
    secret = second_factor.begin(cast["user"], HERE).secret
    sealed = stored(cast["user"]).totp_secret or ""
    assert secret not in sealed
    with pytest.raises(CannotOpen):
        vault().open(sealed, second_factor.context(cast["other"].id))


def test_setup_begun_before_the_key_was_lost_begins_anew(app: Flask, user: User) -> None:
    lost = second_factor.begin(user, HERE).secret
    remember(app, settings(), Vault("5e" * 32), redis())
    with pytest.raises(AppError, match="wrong_code"):
        second_factor.confirm(user, HERE, pyotp.TOTP(lost).at(NOON))
    assert second_factor.begin(user, HERE).secret != lost
    assert len(second_factor.confirm(user, HERE, code_at(user, NOON))) == 10


def test_what_is_only_begun_does_not_count(user: User) -> None:
    second_factor.begin(user, HERE)
    assert second_factor.state(user.id) == second_factor.State(None, 0)
    assert not second_factor.take_code(user.id, code_at(user, NOON))


def test_confirmed_it_counts_from_now_on(user: User) -> None:
    assert len(enrolled(user)) == 10
    assert second_factor.state(user.id) == second_factor.State(NOON, 10)
    assert acts() == [("second_factor_on", user.email)]


def test_code_of_the_setup_is_used_up(user: User) -> None:
    second_factor.begin(user, HERE)
    second_factor.confirm(user, HERE, code_at(user, NOON))
    assert not second_factor.take_code(user.id, code_at(user, NOON))


@pytest.mark.parametrize("code", ["", "000", "abcdef", "12345678"])
def test_wrong_code_sets_nothing_up(user: User, code: str) -> None:
    second_factor.begin(user, HERE)
    with pytest.raises(AppError) as refusal:
        second_factor.confirm(user, HERE, code)
    assert refusal.value.code == "wrong_code"
    assert second_factor.state(user.id).confirmed_at is None


def test_nothing_is_confirmed_that_was_not_begun(user: User) -> None:
    with pytest.raises(AppError):
        second_factor.confirm(user, HERE, "123456")


def test_confirmed_one_is_neither_shown_nor_set_up_again(user: User) -> None:
    enrolled(user)
    kept = secret_of(user)
    with pytest.raises(AppError) as shown:
        second_factor.begin(user, HERE)
    with pytest.raises(AppError) as again:
        second_factor.confirm(user, HERE, code_at(user, NOON))
    assert {shown.value.code, again.value.code} == {"second_factor_is_on"}
    assert secret_of(user) == kept


def test_two_confirmations_at_once_leave_ten_codes(app: Flask, user: User) -> None:
    second_factor.begin(user, HERE)
    code = code_at(user, NOON)

    def confirm(_turn: int) -> bool:
        with app.app_context():
            try:
                second_factor.confirm(user, HERE, code)
            except AppError:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(confirm, range(4))) == 1
    assert second_factor.state(user.id).codes_left == 10


# ---- codes of the app


def test_right_code_is_taken_once(user: User) -> None:
    enrolled(user)
    code = code_at(user, NOON)
    assert [second_factor.take_code(user.id, code) for _ in range(3)] == [True, False, False]
    assert [act for act, _ in acts()[1:]] == ["second_factor_shown", "second_factor_refused", "second_factor_refused"]
    assert {actor for _, actor in acts()} == {user.email}


@pytest.mark.parametrize("spelled", ["{0}{1}", "{0} {1}", " {0}\t{1}\n", "{0}-{1}"])
def test_spaces_are_ignored(user: User, spelled: str) -> None:
    enrolled(user)
    code = code_at(user, NOON)
    assert second_factor.take_code(user.id, spelled.format(code[:3], code[3:]))


def test_older_code_is_dead_after_a_newer_one(user: User, clock: time_machine.Coordinates) -> None:
    enrolled(user)
    clock.shift(timedelta(seconds=30))
    assert second_factor.take_code(user.id, code_at(user, NOON + timedelta(seconds=30)))
    assert not second_factor.take_code(user.id, code_at(user, NOON))


@pytest.mark.parametrize(("seconds", "is_taken"), [(29, True), (59, True), (60, False), (90, False)])
def test_a_code_is_late_after_two_steps(
    user: User,
    clock: time_machine.Coordinates,
    seconds: int,
    is_taken: bool,
) -> None:
    enrolled(user)
    code = code_at(user, NOON)
    clock.shift(timedelta(seconds=seconds))
    assert second_factor.take_code(user.id, code) is is_taken


def test_next_code_is_taken_where_the_phone_is_ahead(user: User) -> None:
    enrolled(user)
    assert second_factor.take_code(user.id, code_at(user, NOON + timedelta(seconds=30)))
    assert not second_factor.take_code(user.id, code_at(user, NOON + timedelta(seconds=60)))


def test_one_code_used_at_the_same_moment_opens_once(app: Flask, user: User) -> None:
    enrolled(user)
    assert sum(at_once(app, user, code_at(user, NOON))) == 1


def at_once(app: Flask, user: User, code: str) -> list[bool]:
    def take(_turn: int) -> bool:
        with app.app_context():
            return second_factor.take_code(user.id, code)

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(take, range(4)))


def test_code_of_another_person_is_wrong(cast: Cast, user: User) -> None:
    enrolled(user)
    enrolled(cast["other"])
    assert not second_factor.take_code(user.id, code_at(cast["other"], NOON))


@rules(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(typed=st.text(max_size=200))
def test_no_text_breaks_it_or_opens(user: User, store: Redis, typed: str) -> None:
    store.flushdb()
    if second_factor.state(user.id).confirmed_at is None:
        enrolled(user)
    assert not second_factor.take_code(user.id, typed)


# ---- recovery codes


def test_recovery_code_opens_once(user: User) -> None:
    first, second, *_ = enrolled(user)
    assert [second_factor.take_code(user.id, code) for code in (first, first, second)] == [True, False, True]
    assert second_factor.state(user.id).codes_left == 8
    assert [act for act, _ in acts()[1:]] == ["recovery_code_used", "second_factor_refused", "recovery_code_used"]


def test_recovery_code_that_opened_is_told_by_mail(user: User) -> None:
    first, *_ = enrolled(user)
    second_factor.take_code(user.id, code_at(user, NOON))
    before = letters_to(user)
    assert second_factor.take_code(user.id, first)
    assert not second_factor.take_code(user.id, first)
    assert letters_to(user) == before + 1


def letters_to(user: User) -> int:
    with system_scope("test: letters"):
        mine = select(func.count()).select_from(StoredLetter).where(StoredLetter.user_id == user.id)
        return db.session.execute(mine).scalar_one()


def test_recovery_code_may_be_typed_in_any_way(user: User) -> None:
    codes = enrolled(user)
    spelled = (codes[0].lower(), codes[1].replace("-", ""), codes[2].replace("-", " "), f" {codes[3]} ")
    assert all(second_factor.take_code(user.id, code) for code in spelled)


def test_recovery_codes_are_80_bits_in_four_groups(user: User) -> None:
    codes = enrolled(user)
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){3}", code) for code in codes)


def test_recovery_codes_are_not_stored(user: User) -> None:
    codes = enrolled(user)
    with system_scope("test: what is stored"):
        kept = " ".join(db.session.execute(select(RecoveryCode.code_hash)).scalars()).upper()
    assert not [code for code in codes if code in kept or code.replace("-", "") in kept]


def test_stored_hash_is_useless_under_another_key(app: Flask, user: User) -> None:
    code = enrolled(user)[0]
    remember(app, replace(settings(), secret_key="another key of the program, long enough"), vault(), redis())
    assert not second_factor.take_code(user.id, code)


def test_recovery_code_used_at_the_same_moment_opens_once(app: Flask, user: User) -> None:
    assert sum(at_once(app, user, enrolled(user)[0])) == 1


def test_recovery_code_of_another_person_is_wrong(cast: Cast, user: User) -> None:
    enrolled(user)
    assert not second_factor.take_code(user.id, enrolled(cast["other"])[0])


def test_new_recovery_codes_end_the_old_ones(user: User) -> None:
    old, new = enrolled(user), second_factor.new_recovery_codes(user)
    assert not second_factor.take_code(user.id, old[0])
    assert second_factor.take_code(user.id, new[0])
    assert ("recovery_codes_renewed", user.email) in acts()


def test_no_recovery_codes_without_a_second_factor(user: User) -> None:
    second_factor.begin(user, HERE)
    with pytest.raises(AppError) as refusal:
        second_factor.new_recovery_codes(user)
    assert refusal.value.code == "no_second_factor"
    assert second_factor.state(user.id).codes_left == 0


# ---- off and reset


def test_switched_off_nothing_is_left(user: User) -> None:
    code = enrolled(user)[0]
    app_code = code_at(user, NOON)
    second_factor.switch_off(user)
    assert second_factor.state(user.id) == second_factor.State(None, 0)
    assert stored(user).totp_secret is None
    assert not second_factor.take_code(user.id, code)
    assert not second_factor.take_code(user.id, app_code)
    assert acts()[1] == ("second_factor_off", user.email)


@pytest.mark.parametrize("who", ["lite", "admin"])
def test_staff_cannot_switch_it_off(cast: Cast, clock: time_machine.Coordinates, who: str) -> None:
    enrolled(cast[who])
    with pytest.raises(AppError) as refusal:
        second_factor.switch_off(cast[who])
    assert refusal.value.code == "second_factor_required"
    assert second_factor.state(cast[who].id).confirmed_at == NOON


def test_reset_takes_factor_codes_and_sessions(cast: Cast, user: User) -> None:
    code = enrolled(user)[0]
    mine, others = sessions.start(user, "192.0.2.1", "a"), sessions.start(cast["other"], "192.0.2.1", "b")
    second_factor.reset(user.id, "command line")
    assert second_factor.state(user.id) == second_factor.State(None, 0)
    assert sessions.load(mine) is None
    assert sessions.load(others) is not None
    assert acts()[-1] == ("second_factor_reset", "command line")
    assert not second_factor.take_code(user.id, code)


def test_after_a_reset_a_new_secret_is_set_up(user: User) -> None:
    enrolled(user)
    old = secret_of(user)
    second_factor.reset(user.id)
    assert second_factor.begin(user, HERE).secret != old
    assert second_factor.confirm(user, HERE, code_at(user, NOON))


def test_nobody_is_not_reset(app: Flask) -> None:
    with pytest.raises(AppError) as refusal:
        second_factor.reset(uuid.uuid4())
    assert refusal.value.status == 404


def test_acts_are_written_in_the_chain_of_the_company(user: User, cast: Cast) -> None:
    enrolled(user)
    enrolled(cast["lite"])
    with system_scope("test: the audit"):
        rows = db.session.execute(text("select tenant_id, object_id from audit_log order by id")).all()
    assert [tuple(row) for row in rows] == [(user.tenant_id, str(user.id)), (None, str(cast["lite"].id))]
