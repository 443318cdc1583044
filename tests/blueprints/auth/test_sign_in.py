"""The door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import func, select, text

from synkro.blueprints.auth import device
from synkro.extensions import redis, remember, settings, vault
from synkro.models import AuditLog, StoredLetter, Tenant, User
from synkro.models.states import Role, TenantStatus
from synkro.services.auth import accounts
from synkro.services.companies import tenants
from synkro.tenancy import db, system_scope
from synkro.web.limits import limiter
from tests.conftest import PASSWORD
from tests.support.having import assert_has
from tests.support.web_client import Browser, Enter, csrf_of

Cast = dict[str, User]


def knock(client: Browser, email: str, password: str = PASSWORD, **more: str) -> tuple[int, str, str]:
    answer = client.send("/login", email=email, password=password, **more)
    return answer.status_code, answer.location or "", answer.text


@pytest.mark.parametrize(
    ("who", "page", "opens"),
    [("user", "/dashboard", 200), ("settings", "/dashboard", 200), ("lite", "/admin", 302), ("admin", "/admin", 302)],
)
def test_everybody_comes_to_the_own_start_page(client: Browser, cast: Cast, who: str, page: str, opens: int) -> None:
    """Staff are led on from there, to their second factor."""
    status, location, _ = knock(client, f"{who}@example.com")
    assert status == 303
    assert location == page
    assert client.get(page).status_code == opens


def test_email_is_read_without_case_and_spaces(client: Browser, cast: Cast) -> None:
    assert knock(client, " USER@Example.com ")[0] == 303


def test_refusals_are_the_same(client: Browser, cast: Cast) -> None:
    db.session.execute(text("update users set is_active = false where email = 'other@example.com'"))
    db.session.commit()
    wrong = knock(client, "user@example.com", "wrong")
    unknown = knock(client, "nobody@example.com")
    disabled = knock(client, "other@example.com")
    answers = (wrong, unknown, disabled)
    assert {status for status, _, _ in answers} == {401}
    assert len({without_what_was_typed(page) for _, _, page in answers}) == 1


def without_what_was_typed(page: str) -> str:
    return "\n".join(line for line in page.replace("<input", "\n<input").splitlines() if not line.startswith("<input"))


def test_password_is_not_in_the_answer(client: Browser, cast: Cast) -> None:
    assert "hunter2hunter2" not in knock(client, "user@example.com", "hunter2hunter2")[2]


@pytest.mark.parametrize(
    ("email", "password"),
    [("", ""), ("user@example.com", ""), ("", PASSWORD), ("a\x00@example.com", "x"), ("x" * 10_000, "y" * 10_000)],
)
def test_odd_input_is_refused_politely(client: Browser, cast: Cast, email: str, password: str) -> None:
    assert knock(client, email, password)[0] in (401, 422)


def test_comes_back_to_the_page_that_was_wanted(client: Browser, cast: Cast) -> None:
    page = client.get("/login?next=/reports?page%3D2")
    assert 'value="/reports?page=2"' in page.text
    assert knock(client, "user@example.com", next="/reports?page=2")[1] == "/reports?page=2"


@pytest.mark.parametrize(
    "next_page", ["//evil.example", "/\\evil.example", "https:evil.example", "/\t/evil", "/logout"]
)
def test_is_not_sent_elsewhere(client: Browser, cast: Cast, next_page: str) -> None:
    assert knock(client, "user@example.com", next=next_page)[1] == "/dashboard"


def test_session_is_made_new(client: Browser, cast: Cast) -> None:
    with client.session_transaction() as session:
        session["planted"] = "by somebody"
        session["language"] = "en"
    old = csrf_of(client.get("/login"))
    knock(client, "user@example.com")
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session["language"] == "en"
    assert client.post("/preferences/theme", data={"csrf_token": old, "theme": "dark"}).status_code == 400


def test_sixth_try_in_a_minute_has_to_wait(client: Browser, cast: Cast) -> None:
    got = [knock(client, "user@example.com", "wrong")[0] for _ in range(5)]
    last = client.send("/login", email="user@example.com", password=PASSWORD)
    assert got == [401] * 5
    assert last.status_code == 429
    assert last.headers["Retry-After"]
    assert last.headers["X-Request-ID"]


def test_an_office_behind_one_address_gets_in(client: Browser, cast: Cast) -> None:
    for _ in range(8):
        assert knock(client, "user@example.com")[0] == 303
        client.send("/logout")
    assert knock(client, "user@example.com", "wrong")[0] == 401


def test_form_that_was_not_filled_in_is_no_try(client: Browser, cast: Cast) -> None:
    assert [knock(client, "user@example.com", "")[0] for _ in range(6)] == [422] * 6


@pytest.fixture
def stopped() -> Iterator[None]:
    """The rest of an account is a second at first: a slow machine would sit it out."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield


def from_everywhere(client: Browser, email: str, count: int) -> list[int]:
    spelled = [email, f" {email.upper()}", f"\x00{email}", f"{email} "]
    got = []
    for turn in range(count):
        client.environ_base["REMOTE_ADDR"] = f"192.0.2.{turn}"
        got.append(knock(client, spelled[turn % 4], "wrong")[0])
    return got


@pytest.mark.parametrize("email", ["user@example.com", "nobody@example.com"])
def test_tries_from_everywhere_are_slowed_down(client: Browser, cast: Cast, email: str) -> None:
    """The sixth comes too early, however it is spelled; a second later it would be let."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        assert from_everywhere(client, email, 7) == [401] * 5 + [429] * 2
        assert knock(Browser(client.application, client.application.response_class), "other@example.com")[0] == 303
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=2), tick=False):
        assert knock(client, email, "wrong")[0] == 401


def test_limit_says_how_long_to_wait_and_not_who_exists(client: Browser, cast: Cast) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False):
        pages = []
        for email in ("user@example.com", "nobody@example.com"):
            from_everywhere(client, email, 5)
            client.environ_base["REMOTE_ADDR"] = "198.51.100.7"
            pages.append(client.send("/login", email=email, password=PASSWORD))
    assert [(page.status_code, page.headers["Retry-After"]) for page in pages] == [(429, "1")] * 2
    assert "Wait 1 seconds" in pages[0].text
    assert len({without_what_was_typed(page.text) for page in pages}) == 1


@pytest.mark.usefixtures("stopped")
def test_limited_try_costs_no_hash(client: Browser, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from_everywhere(client, "user@example.com", 5)

    def never(*_args: object) -> bool:
        raise AssertionError("a password was compared")

    monkeypatch.setattr(PasswordHasher, "verify", never)
    client.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    assert knock(client, "user@example.com")[0] == 429


def test_limit_is_written_down_once(client: Browser, cast: Cast) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False):
        from_everywhere(client, "user@example.com", 9)
    assert acts() == ["sign_in_refused"] * 5 + ["sign_in_limited"]


def test_owner_gets_in_with_a_known_browser(client: Browser, cast: Cast) -> None:
    knock(client, "user@example.com")
    client.send("/logout")
    stranger = Browser(client.application, client.application.response_class)
    with time_machine.travel(datetime.now(UTC), tick=False):
        assert 429 in from_everywhere(stranger, "user@example.com", 6)
        assert knock(stranger, "user@example.com")[0] == 429
        assert knock(client, "user@example.com")[0] == 303


def test_two_hundred_at_once_do_not_all_pass(app: Flask, cast: Cast) -> None:
    """Each with a page and a token of its own, from its own address: five are looked at."""
    browsers = []
    for turn in range(200):
        browsers.append(Browser(app, app.response_class))
        browsers[-1].environ_base["REMOTE_ADDR"] = f"10.0.0.{turn}"
    tokens = [browser.token() for browser in browsers]

    def one(turn: int) -> int:
        form = {"csrf_token": tokens[turn], "email": "user@example.com", "password": "wrong"}
        return browsers[turn].post("/login", data=form).status_code

    with time_machine.travel(datetime.now(UTC), tick=False), ThreadPoolExecutor(8) as pool:
        got = Counter(pool.map(one, range(200)))
    assert got == {401: 5, 429: 195}


def device_of(client: Browser) -> str:
    cookie = client.get_cookie("device")
    return cookie.value if cookie else ""


def test_browser_is_remembered_by_a_cookie_that_names_nobody(client: Browser, cast: Cast) -> None:
    answer = client.send("/login", email="user@example.com", password=PASSWORD)
    (cookie,) = [line for line in answer.headers.getlist("Set-Cookie") if line.startswith("device=")]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "user@example.com" not in str(URLSafeTimedSerializer("x").loads_unsafe(device_of(client)))


def letters() -> int:
    with system_scope("test: letters on their way"):
        return db.session.execute(select(func.count()).select_from(StoredLetter)).scalar_one()


def test_new_browser_is_told_of_and_a_known_one_is_not(client: Browser, cast: Cast) -> None:
    got = []
    for browser in (client, client, Browser(client.application, client.application.response_class)):
        knock(browser, "user@example.com", "wrong")
        knock(browser, "user@example.com")
        browser.send("/logout")
        got.append(letters())
    assert got == [1, 1, 2]


def test_wrong_password_makes_no_known_browser(client: Browser, cast: Cast) -> None:
    knock(client, "user@example.com", "wrong")
    assert not device_of(client)


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize("planted", ["", "x", "WyJ4Il0.x.y", "a" * 4_000])
def test_forged_browser_is_no_known_one(client: Browser, cast: Cast, planted: str) -> None:
    from_everywhere(client, "user@example.com", 5)
    client.set_cookie("device", planted)
    client.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    assert knock(client, "user@example.com")[0] == 429


def test_browser_remembers_the_last_five_accounts(client: Browser, cast: Cast, tenant: Tenant) -> None:
    names = ["a", "b", "user", "settings", "other", "c"]
    for name in "abc":
        accounts.create(f"{name}@example.com", PASSWORD, Role.USER, tenant)
    for name in names:
        knock(client, f"{name}@example.com")
        client.send("/logout")
    assert known_in(client, names) == names[1:]


def test_a_similar_address_does_not_make_a_browser_known(client: Browser, cast: Cast, tenant: Tenant) -> None:
    """They share a book of tries, but the owner of one is a stranger to the other."""
    accounts.create("ádmin@example.com", PASSWORD, Role.USER, tenant)
    knock(client, "ádmin@example.com")
    assert known_in(client, ["ádmin", "admin", "ADMIN", "ÁDMIN"]) == ["ádmin", "ÁDMIN"]


def test_a_password_alone_makes_no_browser_known_where_a_code_is_due(client: Browser, cast: Cast) -> None:
    knock(client, "admin@example.com")
    assert known_in(client, ["admin"]) == []


def known_in(client: Browser, names: list[str]) -> list[str]:
    with client.application.test_request_context(headers={"Cookie": f"device={device_of(client)}"}):
        return [name for name in names if device.known(f"{name}@example.com")]


def test_cookie_of_a_browser_is_bound_to_the_host_in_production(app: Flask, cast: Cast) -> None:
    remember(app, replace(settings(), env="production"), vault(), redis())
    client = Browser(app, app.response_class)
    answer = client.send("/login", email="user@example.com", password=PASSWORD)
    (cookie,) = [line for line in answer.headers.getlist("Set-Cookie") if "device=" in line]
    assert cookie.startswith("__Host-device=")
    assert "Secure" in cookie
    assert "Domain" not in cookie


def test_limit_holds_without_redis(client: Browser, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: object, **_more: object) -> bool:
        raise ConnectionError

    monkeypatch.setattr(limiter._limiter, "test", away)
    monkeypatch.setattr(limiter._limiter, "hit", away)
    try:
        got = [knock(client, "user@example.com", "wrong")[0] for _ in range(6)]
    finally:
        limiter._storage_dead = False
        limiter._fallback_limiter.storage.reset()
    assert got == [401] * 5 + [429]


def test_limit_is_by_address(client: Browser, cast: Cast) -> None:
    for _ in range(5):
        knock(client, "user@example.com", "wrong")
    assert knock(client, "other@example.com")[0] == 429
    client.environ_base["REMOTE_ADDR"] = "192.0.2.77"
    assert knock(client, "other@example.com")[0] == 303


def test_looking_at_the_door_is_not_limited(client: Browser) -> None:
    assert {client.get("/login").status_code for _ in range(8)} == {200}


def test_company_that_is_being_deleted_says_so_to_its_people_only(
    client: Browser, enter: Enter, cast: Cast, tenant: Tenant
) -> None:
    tenants.delete(None, tenant.id, tenant.slug)
    right = client.send("/login", email="user@example.com", password=PASSWORD)
    assert right.status_code == 403
    assert "Your company is being deleted" in right.text
    wrong = enter("nobody").send("/login", email="user@example.com", password="not the password")
    assert wrong.status_code == 401
    assert "being deleted" not in wrong.text
    with system_scope("test: letters"):
        assert db.session.execute(select(StoredLetter)).first() is None


def test_paused_company_may_look(client: Browser, cast: Cast, tenant: Tenant) -> None:
    tenant.status = TenantStatus.PAUSED
    db.session.commit()
    knock(client, "user@example.com")
    page = client.get("/dashboard")
    assert page.status_code == 200
    assert 'class="toast toast--warn"' in page.text
    assert 'action="/dashboard/run"' not in page.text


def test_signed_in_person_needs_no_door(client: Browser, cast: Cast) -> None:
    knock(client, "user@example.com")
    assert client.get("/login").location == "/dashboard"
    assert client.get("/").location == "/dashboard"


def test_sign_out_ends_the_session(client: Browser, cast: Cast) -> None:
    knock(client, "user@example.com")
    assert client.send("/logout").location == "/login"
    assert client.get("/dashboard").status_code == 302


def acts() -> list[str]:
    with system_scope("test: look at the audit log"):
        return list(db.session.execute(select(AuditLog.act).order_by(AuditLog.id)).scalars())


def test_both_outcomes_are_written_down(client: Browser, cast: Cast) -> None:
    knock(client, "user@example.com", "wrong")
    knock(client, "user@example.com")
    assert acts() == ["sign_in_refused", "signed_in"]


def test_old_cookie_opens_nothing_after_signing_out(client: Browser, cast: Cast) -> None:
    knock(client, "user@example.com")
    copied = client.get_cookie("session")
    assert copied
    client.send("/logout")
    thief = Browser(client.application, client.application.response_class)
    thief.set_cookie("session", copied.value)
    answer = thief.get("/dashboard")
    assert_has(answer, status_code=302, location="/login?next=/dashboard")
