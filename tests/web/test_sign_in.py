"""The door."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from synkro.limits import limiter
from synkro.models import AuditLog, Tenant, User
from synkro.models.states import TenantStatus
from synkro.tenancy import db, system_scope
from tests.conftest import PASSWORD
from tests.web.conftest import Browser, csrf_of

Cast = dict[str, User]


def knock(client: Browser, email: str, password: str = PASSWORD, **more: str) -> tuple[int, str, str]:
    answer = client.send("/login", email=email, password=password, **more)
    return answer.status_code, answer.location or "", answer.text


@pytest.mark.parametrize(
    ("who", "page"), [("user", "/dashboard"), ("settings", "/dashboard"), ("lite", "/admin"), ("admin", "/admin")]
)
def test_everybody_comes_to_the_own_start_page(client: Browser, cast: Cast, who: str, page: str) -> None:
    status, location, _ = knock(client, f"{who}@example.com")
    assert (status, location) == (303, page)
    assert client.get(page).status_code == 200


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


@pytest.mark.parametrize("email", ["user@example.com", "nobody@example.com"])
def test_one_account_is_not_tried_from_everywhere(client: Browser, cast: Cast, email: str) -> None:
    spelled = [email, f" {email.upper()}", f"\x00{email}", f"{email} "]
    got = []
    for turn in range(21):
        client.environ_base["REMOTE_ADDR"] = f"192.0.2.{turn}"
        got.append(knock(client, spelled[turn % 4], "wrong")[0])
    assert got == [401] * 20 + [429]
    assert knock(client, "other@example.com")[0] == 303


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
    client.environ_base["REMOTE_ADDR"] = "192.0.2.77"
    assert knock(client, "user@example.com")[0] == 303


def test_looking_at_the_door_is_not_limited(client: Browser) -> None:
    assert {client.get("/login").status_code for _ in range(8)} == {200}


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


def test_both_outcomes_are_written_down(client: Browser, cast: Cast) -> None:
    knock(client, "user@example.com", "wrong")
    knock(client, "user@example.com")
    with system_scope("test: look at the audit log"):
        acts = list(db.session.execute(select(AuditLog.act).order_by(AuditLog.id)).scalars())
    assert acts == ["sign_in_refused", "signed_in"]
