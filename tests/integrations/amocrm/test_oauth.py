"""amoCRM's OAuth against the emulator: codes, rotation, lost answers, moved accounts, hooks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask

from synkro.integrations.amocrm.client import Amocrm
from synkro.integrations.amocrm.oauth import (
    App,
    Tokens,
    authorize_url,
    current_subdomain,
    exchange,
    refresh,
    valid_referer,
)
from synkro.integrations.amocrm.rules import Address
from synkro.integrations.errors import ApiError, Busy, Lost, Nonsense, Refused, Unreachable
from synkro.integrations.http.client import HttpClient
from synkro.sandbox.amocrm.app import create_app
from synkro.sandbox.world import World
from tests.support.emulators import Counted, Emulator, Start, client_to

TOKEN_PATH = "/oauth2/access_token"
WHERE = "/oauth2/account/current/subdomain"


@pytest.fixture
def emulator(start: Start, world: World) -> Emulator:
    running = start(create_app(world))
    running.set(rps=0, account_rps=0)
    return running


@pytest.fixture
def http_client(emulator: Emulator) -> HttpClient:
    return client_to(Counted(), amocrm=emulator, amocrm_oauth=emulator)


@pytest.fixture
def app(world: World) -> App:
    own = world.integration
    return App(own.client_id, own.client_secret, own.redirect_uri)


@pytest.fixture
def home(world: World) -> Address:
    return Address(world.subdomain, "amocrm.ru")


@pytest.fixture
def new_code(http_client: HttpClient, app: App) -> Callable[[], str]:
    """Walks the administrator's browser through the vendor's page."""

    def walk() -> str:
        page = authorize_url(app.client_id, "state-1", "amocrm.ru", http_client)
        answer = requests.get(page, allow_redirects=False, timeout=60)
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    return walk


@pytest.fixture
def pair(http_client: HttpClient, app: App, home: Address, new_code: Callable[[], str], emulator: Emulator) -> Tokens:
    tokens = exchange(http_client, app, home, new_code())
    emulator.forget()
    return tokens


def paths(emulator: Emulator) -> list[str]:
    return [entry["path"] for entry in emulator.requests()]


def read(http_client: HttpClient, tokens: Tokens) -> int:
    keys = {"subdomain": tokens.address.subdomain, "access_token": tokens.access_token}
    return Amocrm(keys, http_client).account().id


# The page and its callback


def test_a_person_comes_back_from_the_vendor_with_state_and_account(
    http_client: HttpClient, app: App, home: Address
) -> None:
    page = authorize_url(app.client_id, "a state&x=1", "amocrm.ru", http_client)
    back = parse_qs(urlsplit(requests.get(page, allow_redirects=False, timeout=60).headers["Location"]).query)
    assert back["state"] == ["a state&x=1"]
    assert valid_referer(back["referer"][0]) == home


@pytest.mark.parametrize("zone", ["amocrm.ru", "kommo.com"])
def test_without_a_stand_in_the_page_is_the_vendors_own(zone: str) -> None:
    url = authorize_url("id", "s", zone, HttpClient(Counted()))
    assert url == f"https://www.{zone}/oauth?client_id=id&state=s&mode=post_message"


def test_no_page_of_a_foreign_zone_is_made() -> None:
    with pytest.raises(Refused, match="amocrm_bad_address"):
        authorize_url("id", "s", "evil.com", HttpClient(Counted()))


# Codes


def test_a_code_becomes_a_pair_that_opens_the_account(
    http_client: HttpClient, app: App, home: Address, new_code: Callable[[], str], world: World
) -> None:
    tokens = exchange(http_client, app, home, new_code())
    assert read(http_client, tokens) == world.account_id
    assert tokens.address == home
    assert 86_000 < tokens.expires_at - time.time() < 86_400


def test_a_code_works_once(http_client: HttpClient, app: App, home: Address, new_code: Callable[[], str]) -> None:
    code = new_code()
    exchange(http_client, app, home, code)
    with pytest.raises(Refused, match="amocrm_code_expired"):
        exchange(http_client, app, home, code)


def test_an_old_code_is_refused(
    http_client: HttpClient, app: App, home: Address, new_code: Callable[[], str], emulator: Emulator
) -> None:
    code = new_code()
    emulator.fault("expire_code")
    with pytest.raises(Refused, match="amocrm_code_expired"):
        exchange(http_client, app, home, code)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"client_secret": "wrong"}, "amocrm_client_refused"),
        ({"client_id": ""}, "amocrm_client_refused"),
        ({"redirect_uri": "https://elsewhere.example.com/"}, "amocrm_redirect_differs"),
    ],
)
def test_a_wrong_integration_is_told_by_what_is_wrong(
    changed: dict[str, str], code: str, http_client: HttpClient, app: App, home: Address, new_code: Callable[[], str]
) -> None:
    fields = {"client_id": app.client_id, "client_secret": app.client_secret, "redirect_uri": app.redirect_uri}
    with pytest.raises(Refused, match=code):
        exchange(http_client, App(**{**fields, **changed}), home, new_code())


def test_a_code_of_another_account_is_told(
    http_client: HttpClient, app: App, home: Address, new_code: Callable[[], str], emulator: Emulator
) -> None:
    emulator.fault("wrong_account")
    with pytest.raises(Refused, match="amocrm_other_account"):
        exchange(http_client, app, home, new_code())


def test_a_code_is_sent_once_even_if_the_answer_is_lost(
    http_client: HttpClient, app: App, home: Address, new_code: Callable[[], str], emulator: Emulator
) -> None:
    code = new_code()
    emulator.fault("drop_after", path=TOKEN_PATH)
    with pytest.raises(Lost):
        exchange(http_client, app, home, code)
    assert paths(emulator).count(TOKEN_PATH) == 1


@pytest.mark.parametrize(
    "address", [Address("evil.com/", "amocrm.ru"), Address("demo", "evil.com"), Address("www", "amocrm.ru")]
)
def test_no_code_is_sent_to_a_foreign_host(
    address: Address, http_client: HttpClient, app: App, emulator: Emulator
) -> None:
    with pytest.raises(Refused, match="amocrm_bad_address"):
        exchange(http_client, app, address, "code")
    assert emulator.requests() == []


# Refreshing


def test_a_refresh_gives_a_new_pair_and_ends_the_old_one(
    http_client: HttpClient, app: App, home: Address, pair: Tokens, world: World
) -> None:
    renewed = refresh(http_client, app, home, pair.refresh_token, pair.access_token)
    assert renewed.refresh_token != pair.refresh_token
    assert read(http_client, renewed) == world.account_id
    with pytest.raises(Refused, match="amocrm_reconnect"):
        refresh(http_client, app, home, pair.refresh_token, pair.access_token)


def test_a_refused_refresh_is_not_repeated(
    http_client: HttpClient, app: App, home: Address, pair: Tokens, emulator: Emulator
) -> None:
    emulator.set(revoked=True)
    with pytest.raises(Refused, match="amocrm_reconnect"):
        refresh(http_client, app, home, pair.refresh_token, pair.access_token)
    assert paths(emulator) == [TOKEN_PATH, WHERE]


def test_a_lost_answer_is_asked_for_once_more_with_the_old_token(
    http_client: HttpClient, app: App, home: Address, pair: Tokens, emulator: Emulator, world: World
) -> None:
    emulator.set(refresh_grace="until_new_used")
    emulator.fault("drop_after", path=TOKEN_PATH)
    renewed = refresh(http_client, app, home, pair.refresh_token, pair.access_token)
    assert read(http_client, renewed) == world.account_id
    assert paths(emulator).count(TOKEN_PATH) == 2


def test_a_lost_answer_without_grace_asks_for_a_new_connection(
    http_client: HttpClient, app: App, home: Address, pair: Tokens, emulator: Emulator
) -> None:
    emulator.fault("drop_after", path=TOKEN_PATH)
    with pytest.raises(Refused, match="amocrm_reconnect"):
        refresh(http_client, app, home, pair.refresh_token, pair.access_token)
    assert paths(emulator).count(TOKEN_PATH) == 2


def test_an_answer_that_is_lost_twice_is_left_for_later(
    http_client: HttpClient, app: App, home: Address, pair: Tokens, emulator: Emulator
) -> None:
    emulator.fault("503", path=TOKEN_PATH, times=-1)
    with pytest.raises(Unreachable):
        refresh(http_client, app, home, pair.refresh_token, pair.access_token)
    assert paths(emulator) == [TOKEN_PATH] * 2


def test_a_busy_vendor_is_not_asked_again_at_once(
    http_client: HttpClient, app: App, home: Address, pair: Tokens, emulator: Emulator
) -> None:
    emulator.fault("429_html", path=TOKEN_PATH, times=-1)
    with pytest.raises(Busy):
        refresh(http_client, app, home, pair.refresh_token, pair.access_token)
    assert paths(emulator) == [TOKEN_PATH]


def test_a_renamed_account_is_found_at_its_new_address(
    http_client: HttpClient, app: App, home: Address, pair: Tokens, emulator: Emulator
) -> None:
    emulator.fault("wrong_account")
    renewed = refresh(http_client, app, Address("old-name", "amocrm.ru"), pair.refresh_token, pair.access_token)
    assert renewed.address == home
    assert paths(emulator) == [TOKEN_PATH, WHERE, TOKEN_PATH]


def test_a_refusal_at_the_right_address_is_not_repeated(
    http_client: HttpClient, app: App, home: Address, pair: Tokens, emulator: Emulator
) -> None:
    emulator.fault("wrong_account")
    with pytest.raises(Refused, match="amocrm_reconnect"):
        refresh(http_client, app, home, pair.refresh_token, pair.access_token)
    assert paths(emulator) == [TOKEN_PATH, WHERE]


def test_a_move_is_followed_once(http_client: HttpClient, app: App, pair: Tokens, emulator: Emulator) -> None:
    emulator.fault("wrong_account", times=-1)
    with pytest.raises(Refused, match="amocrm_reconnect"):
        refresh(http_client, app, Address("old-name", "amocrm.ru"), pair.refresh_token, pair.access_token)
    assert paths(emulator) == [TOKEN_PATH, WHERE, TOKEN_PATH]


def test_without_an_access_token_nobody_is_asked_about_a_move(
    http_client: HttpClient, app: App, home: Address, pair: Tokens, emulator: Emulator
) -> None:
    emulator.set(revoked=True)
    with pytest.raises(Refused, match="amocrm_reconnect"):
        refresh(http_client, app, home, pair.refresh_token)
    assert paths(emulator) == [TOKEN_PATH]


def test_the_account_of_a_token_is_where_it_lives(http_client: HttpClient, home: Address, pair: Tokens) -> None:
    assert current_subdomain(http_client, "api-b.amocrm.ru", pair.refresh_token) == home


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "evil.com",
        "api-b.evil.com",
        "api-b.amocrm.ru.evil.com",
        "api-bb.amocrm.ru",
        "x@api-b.amocrm.ru",
        "127.0.0.1",
    ],
)
def test_a_domain_that_a_token_made_up_is_not_asked(
    domain: str, http_client: HttpClient, pair: Tokens, emulator: Emulator
) -> None:
    assert current_subdomain(http_client, domain, pair.refresh_token) is None
    assert emulator.requests() == []


@pytest.mark.parametrize(
    "payload",
    [
        [],
        {},
        {"access_token": "a", "refresh_token": "r"},
        {"access_token": "a", "refresh_token": "", "expires_in": 9},
        {"access_token": 1, "refresh_token": "r", "expires_in": 9},
        {"access_token": "a b\n", "refresh_token": "r", "expires_in": 9},
        {"access_token": "ключ", "refresh_token": "r", "expires_in": 9},
        {"access_token": "a", "refresh_token": "r" * 30_000, "expires_in": 9},
        {"access_token": "a", "refresh_token": "r", "expires_in": -1},
        {"access_token": "a", "refresh_token": "r", "expires_in": 10**12},
        {"access_token": "a", "refresh_token": "r", "expires_in": "soon"},
    ],
)
def test_a_pair_that_cannot_be_one_is_not_taken(payload: Any, app: App, home: Address, start: Start) -> None:
    odd = Flask("odd")
    odd.add_url_rule(TOKEN_PATH, view_func=lambda: payload, methods=["POST"])
    with pytest.raises(Nonsense):
        exchange(client_to(Counted(), amocrm=start(odd)), app, home, "code")


def test_tokens_do_not_show_themselves(pair: Tokens, app: App) -> None:
    shown = repr(pair) + repr(app)
    assert pair.access_token not in shown
    assert pair.refresh_token not in shown
    assert app.client_secret not in shown


def test_a_failure_does_not_tell_the_secrets(
    http_client: HttpClient, app: App, home: Address, pair: Tokens, emulator: Emulator
) -> None:
    emulator.fault("drop", path=TOKEN_PATH, times=-1)
    with pytest.raises(ApiError) as raised:
        refresh(http_client, app, home, pair.refresh_token, pair.access_token)
    error = raised.value
    shown = repr(error) + repr(vars(error)) + repr(error.__context__) + repr(error.__cause__)
    assert pair.refresh_token not in shown
    assert app.client_secret not in shown
