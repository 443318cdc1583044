"""Invitations and forgotten passwords, as a browser meets them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from synkro.blueprints.auth.welcome import OPENED
from synkro.models import Credential, LinkPurpose, StoredLetter, User
from synkro.services.auth import accounts, links
from synkro.tenancy import db, system_scope
from tests.conftest import PASSWORD
from tests.support.having import assert_has
from tests.support.web_client import Browser, Enter

Cast = dict[str, User]
NEW = "kettle anchor violet ninety"


@pytest.fixture
def guest(cast: Cast) -> User:
    with system_scope("test: no password yet"):
        db.session.execute(update(Credential).where(Credential.user_id == cast["user"].id).values(password_hash=""))
        db.session.commit()
    return cast["user"]


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def reset_path(user: User) -> str:
    with system_scope("test: a link"):
        url, _ = links.make(user, LinkPurpose.RESET)
        db.session.commit()
    return path_of(url)


def test_an_invited_person_chooses_a_password_and_signs_in(client: Browser, guest: User) -> None:
    client.get(path_of(links.invite(guest)))
    assert client.send("/welcome", name="Айгуль", language="en", password=NEW).location == "/login"
    http_client = client.get("/login").text
    assert 'value="user@example.com"' in http_client
    assert 'class="toast toast--ok"' in http_client
    assert client.send("/login", email="user@example.com", password=NEW).location == "/dashboard"


def test_a_forgotten_password_is_chosen_anew(client: Browser, cast: Cast) -> None:
    client.get(reset_path(cast["user"]))
    assert client.send("/reset", password=NEW).location == "/login"
    assert accounts.sign_in("user@example.com", PASSWORD) is None
    assert client.send("/login", email="user@example.com", password=NEW).location == "/dashboard"


def test_the_token_leaves_the_address_at_once(client: Browser, guest: User) -> None:
    path = path_of(links.invite(guest))
    first = client.get(path)
    assert_has(first, status_code=303, location="/welcome")
    assert path.partition("=")[2] not in client.get("/welcome").text


def test_the_token_is_in_no_line_of_the_log(client: Browser, guest: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    path = path_of(links.invite(guest))
    client.get(path)
    client.send("/welcome", name="A", language="ru", password="short")
    client.send("/welcome", name="A", language="ru", password=NEW)
    lines = [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    assert any("/welcome" in line for line in lines)
    assert not [line for line in lines if path.partition("=")[2] in line]


def test_to_look_at_a_link_does_not_use_it_up(client: Browser, guest: User) -> None:
    path = path_of(links.invite(guest))
    for _ in range(3):
        client.get(path)
        assert client.get("/welcome").status_code == 200


def test_a_used_link_says_what_to_do(client: Browser, guest: User) -> None:
    path = path_of(links.invite(guest))
    client.get(path)
    client.send("/welcome", name="A", language="ru", password=NEW)
    client.get(path)
    page = client.get("/welcome")
    assert page.status_code == 410
    assert 'href="/login"' in page.text


def test_an_ended_link_to_a_new_password_leads_to_the_next_one(client: Browser) -> None:
    client.get("/reset?t=made-up")
    page = client.get("/reset")
    assert page.status_code == 410
    assert 'href="/forgot"' in page.text


def test_an_opened_link_of_one_page_opens_no_other(client: Browser, cast: Cast) -> None:
    client.get(reset_path(cast["user"]))
    assert client.get("/welcome").status_code == 410


def test_an_opened_link_is_forgotten_after_a_while(client: Browser, cast: Cast) -> None:
    client.get(reset_path(cast["user"]))
    with client.session_transaction() as session:
        purpose, token, at = session[OPENED]
        session[OPENED] = [purpose, token, at - 31 * 60]
    assert client.get("/reset").status_code == 410


@pytest.mark.parametrize(
    ("field", "value"),
    [("password", "short"), ("password", ""), ("name", "<script>"), ("name", ""), ("language", "xx")],
)
def test_what_is_wrong_is_said_at_its_field(client: Browser, guest: User, field: str, value: str) -> None:
    client.get(path_of(links.invite(guest)))
    page = client.send("/welcome", **{"name": "A", "language": "ru", "password": NEW, field: value})
    assert page.status_code == 422
    assert re.findall(r'class="error" id="([\w-]+)-error"', page.text) == [field]
    assert NEW not in page.text


def test_nothing_else_of_a_person_can_be_sent_along(client: Browser, guest: User) -> None:
    client.get(path_of(links.invite(guest)))
    extra = {"role": "super_admin", "tenant_id": "", "can_manage_settings": "1", "email": "x@y.kz"}
    client.send("/welcome", name="A", language="ru", password=NEW, **extra)
    row = db.session.get_one(User, guest.id, populate_existing=True)
    assert_has(row, role="user", can_manage_settings=False, email="user@example.com")


def test_whoever_was_signed_in_here_is_out_afterwards(enter: Enter, cast: Cast) -> None:
    browser = enter("other")
    browser.get(reset_path(cast["user"]))
    browser.send("/reset", password=NEW)
    assert browser.get("/dashboard").status_code == 302


def test_the_answer_to_a_forgotten_password_is_the_same_for_all(client: Browser, cast: Cast) -> None:
    cast["settings"].is_active = False
    db.session.commit()
    emails = ["user@example.com", "nobody@example.com", "settings@example.com", "no address", "a\x00b", "x" * 320]
    answers = [client.send("/forgot", email=email) for email in emails]
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, "/forgot?sent=1")}


def test_the_page_does_not_look_whose_the_address_is(client: Browser, cast: Cast) -> None:
    for email in ("user@example.com", "nobody@example.com"):
        client.send("/forgot", email=email)
    with system_scope("test: requests"):
        found = db.session.execute(select(StoredLetter)).scalars().all()
        assert db.session.execute(text("select count(*) from one_time_links")).scalar_one() == 0
    assert [row.user_id for row in found] == [None, None]


def test_ten_letters_an_hour_are_asked_for_from_one_address(client: Browser, cast: Cast) -> None:
    answers = [client.send("/forgot", email=f"a{n}@example.com") for n in range(11)]
    assert [answer.status_code for answer in answers] == [303] * 10 + [429]
    assert answers[-1].headers["Retry-After"] == "3600"
    client.environ_base["REMOTE_ADDR"] = "192.0.2.77"
    assert client.send("/forgot", email="a@example.com").status_code == 303


@pytest.mark.parametrize("email", ["", "x" * 321])
def test_an_address_that_cannot_be_one_is_said_at_its_field(client: Browser, email: str) -> None:
    page = client.send("/forgot", email=email)
    assert page.status_code == 422
    assert 'id="email-error"' in page.text


def test_guesses_are_slowed_down(client: Browser) -> None:
    got = []
    for n in range(6):
        client.get(f"/reset?t=guess{n}")
        got.append(client.send("/reset", password=NEW).status_code)
    assert got == [410] * 5 + [429]


def test_the_door_leads_to_a_forgotten_password(client: Browser, app: Flask) -> None:
    assert 'href="/forgot"' in client.get("/login").text
