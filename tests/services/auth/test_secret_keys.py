"""A new APP_SECRET_KEY: whatever the old one has signed or hashed is known while that is listed, and not afterwards."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from config import Config
from synkro import create_app
from synkro.blueprints.auth import device
from synkro.errors import AppError
from synkro.extensions import redis, remember, settings, vault
from synkro.models import IntegrationConfig, LinkPurpose, User
from synkro.services.auth import links, recovery_codes, sessions
from synkro.services.connections import amocrm_connect, telegram_code
from synkro.tenancy import db, system_scope
from synkro.tokens import keyed_hash
from tests.conftest import PASSWORD
from tests.support.web_client import Browser, csrf_of

Cast = dict[str, User]
PASSWORD_NEXT = "kettle anchor violet ninety"


@pytest.fixture
def changed(app: Flask) -> Config:
    """The settings after the change: a new key, and the one in force now beside it."""
    return replace(settings(), secret_key="n" * 40, secret_keys_old=("o" * 40, settings().secret_key))


@pytest.fixture(params=[True, False], ids=["old key listed", "old key gone"])
def is_known(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def change(app: Flask, changed: Config, is_known: bool) -> Callable[[], None]:
    """From here on the new key is in force."""

    def change() -> None:
        remember(app, changed if is_known else replace(changed, secret_keys_old=()), vault(), redis())

    return change


def begun(user: User) -> str:
    return sessions.start(user, "192.0.2.1", "a browser")


def test_a_session_is_known(cast: Cast, change: Callable[[], None], is_known: bool) -> None:
    token = begun(cast["user"])
    change()
    assert (sessions.load(token) is not None) is is_known


def test_a_session_is_hashed_anew_when_it_is_used(app: Flask, cast: Cast, changed: Config) -> None:
    token = begun(cast["user"])
    remember(app, changed, vault(), redis())
    sessions.load(token)
    assert [row.token_hash for row in sessions.of(cast["user"].id)] == [keyed_hash(token, "session")]


def test_a_session_that_was_used_needs_the_old_key_no_more(app: Flask, cast: Cast, changed: Config) -> None:
    token = begun(cast["user"])
    remember(app, changed, vault(), redis())
    sessions.load(token)
    remember(app, replace(changed, secret_keys_old=()), vault(), redis())
    assert sessions.load(token) is not None


@pytest.fixture
def taken_over(app: Flask, cast: Cast, changed: Config) -> str:
    """A token whose session was given another one between being read and being hashed anew."""
    token = begun(cast["user"])
    (read_before,) = sessions.of(cast["user"].id)
    found = sessions.load(token)
    remember(app, changed, vault(), redis())
    assert found is not None
    assert found.current_session is not None
    sessions.confirm(found.current_session, password=True)
    with system_scope("test: two requests at once"):
        sessions._rehash(read_before, token)
        db.session.commit()
    return token


def test_a_token_that_was_replaced_does_not_come_back(taken_over: str) -> None:
    assert sessions.load(taken_over) is None


def test_a_link_is_known(cast: Cast, change: Callable[[], None], is_known: bool) -> None:
    token = link_for(cast["user"])
    change()
    assert (links.find(token, LinkPurpose.RESET) is not None) is is_known


def test_a_link_by_an_old_key_works_once(app: Flask, cast: Cast, changed: Config) -> None:
    token = link_for(cast["user"])
    remember(app, changed, vault(), redis())
    links.reset(token, PASSWORD_NEXT)
    with pytest.raises(AppError, match="link_ended"):
        links.reset(token, PASSWORD_NEXT)


def link_for(user: User) -> str:
    with system_scope("test: a link"):
        url, _ = links.make(user, LinkPurpose.RESET)
        db.session.commit()
    return url.partition("?t=")[2]


@pytest.fixture
def codes(cast: Cast) -> Iterator[list[str]]:
    """Of a person, without their dashes; in the scope that they are spent in."""
    with system_scope("test: recovery codes"):
        made = recovery_codes.renew(cast["user"].id)
        db.session.commit()
        yield [code.replace("-", "") for code in made]


def test_a_recovery_code_is_known(cast: Cast, codes: list[str], change: Callable[[], None], is_known: bool) -> None:
    change()
    assert recovery_codes.spend(cast["user"].id, codes[0]) is is_known


def test_a_recovery_code_by_an_old_key_works_once(app: Flask, cast: Cast, codes: list[str], changed: Config) -> None:
    remember(app, changed, vault(), redis())
    spent = [recovery_codes.spend(cast["user"].id, codes[0]) for _ in range(2)]
    assert spent == [True, False]


def test_a_way_to_amocrm_that_was_begun_is_known(app: Flask, change: Callable[[], None], is_known: bool) -> None:
    redis().set(amocrm_connect._keys("state")[0], "somebody")
    change()
    assert amocrm_connect._spend("state") == ("somebody" if is_known else "")


def test_a_way_to_amocrm_by_an_old_key_is_used_up(app: Flask, changed: Config) -> None:
    redis().set(amocrm_connect._keys("state")[0], "somebody")
    remember(app, changed, vault(), redis())
    amocrm_connect._spend("state")
    assert redis().keys("oauth_state:*") == []


def test_a_code_for_telegram_that_was_shown_is_known(app: Flask, change: Callable[[], None], is_known: bool) -> None:
    config = IntegrationConfig(tenant_id=uuid.UUID(int=1), version=1)
    code = telegram_code.shown(config)
    change()
    assert (code in telegram_code.taken(config)) is is_known


# ---- in the browser


@pytest.fixture
def later(app: Flask, changed: Config, is_known: bool) -> Iterator[Callable[[FlaskClient], Browser]]:
    """The same browser at a program that was started with the new key."""
    kept = logging.getLogger().handlers[:]
    program = create_app(changed if is_known else replace(changed, secret_keys_old=()))
    logging.getLogger().handlers[:] = kept

    def move(before: FlaskClient) -> Browser:
        after = Browser(program, program.response_class)
        for cookie in before._cookies.values():  # type: ignore[union-attr]
            after.set_cookie(cookie.key, cookie.value)
        return after

    yield move
    with program.app_context():
        db.engine.dispose()
        redis().close()


def test_whoever_is_in_stays_in(
    app: Flask, cast: Cast, sign_in: Callable[..., FlaskClient], later: Callable[[FlaskClient], Browser], is_known: bool
) -> None:
    before = sign_in(Browser(app, app.response_class), cast["user"])
    assert later(before).get("/reports").status_code == (200 if is_known else 302)


def test_a_form_that_is_open_can_be_sent(
    app: Flask, cast: Cast, later: Callable[[FlaskClient], Browser], is_known: bool
) -> None:
    before = Browser(app, app.response_class)
    form = {"csrf_token": csrf_of(before.get("/login")), "email": "user@example.com", "password": PASSWORD}
    assert later(before).post("/login", data=form).status_code == (303 if is_known else 400)


def device_after(browser: Browser) -> dict[str, str]:
    cookie = browser.get_cookie("device")
    return {"Cookie": f"device={cookie.value}"} if cookie else {}


def test_a_browser_is_known_again(
    app: Flask, cast: Cast, later: Callable[[FlaskClient], Browser], is_known: bool
) -> None:
    before = Browser(app, app.response_class)
    before.send("/login", email="user@example.com", password=PASSWORD)
    after = later(before)
    with after.application.test_request_context(headers=device_after(before)):
        assert bool(device.known("user@example.com")) is is_known


@pytest.mark.parametrize("is_known", [True], indirect=True)
def test_a_browser_that_signs_in_again_names_its_account_once(
    app: Flask, cast: Cast, later: Callable[[FlaskClient], Browser]
) -> None:
    before = Browser(app, app.response_class)
    before.send("/login", email="user@example.com", password=PASSWORD)
    after, answer = later(before), Response()
    with after.application.test_request_context(headers=device_after(before)):
        device.remember(answer, "user@example.com")
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    with after.application.test_request_context(headers={"Cookie": cookie}):
        _, accounts = device.device_cookie.read()
    assert len(accounts) == 1
