"""The stand-in of amoCRM gives out, rotates and refuses tokens as its documentation and its users say."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from synkro.sandbox.amocrm.oauth import long_lived_token
from synkro.sandbox.big import big_world
from synkro.sandbox.demo.world import demo_world
from tests.support.crm import Client, serving
from tests.support.having import assert_entries

NOW = datetime(2026, 11, 20, 13, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def _demo() -> Iterator[Client]:
    with serving(demo_world(NOW)) as client:
        yield client


@pytest.fixture
def amo(_demo: Client) -> Client:
    _demo.reset()
    return _demo


def test_the_long_lived_token_is_a_readable_jwt(amo: Client) -> None:
    claims = json.loads(base64.urlsafe_b64decode(amo.token.split(".")[1] + "=="))
    assert_entries(claims, account_id=31_000_001, exp=1_924_992_000)


def test_the_consent_page_sends_back_code_state_and_account(amo: Client) -> None:
    back = amo.authorize(state="s1")
    assert_entries(back, state="s1", referer="asui-practice.amocrm.ru", platform="1")
    assert back["code"]


def test_a_refusing_user_sends_back_an_error_and_no_code(amo: Client) -> None:
    amo.queue("access_denied")
    back = amo.authorize(state="s1")
    assert back["error"] == "access_denied"
    assert "code" not in back


def test_a_code_gives_a_pair_that_opens_the_api(amo: Client) -> None:
    pair = amo.pair()
    assert_entries(pair, token_type="Bearer", expires_in=86_400)
    assert amo.get("account", pair["access_token"]).status_code == 200


def test_the_token_endpoint_reads_forms_too(amo: Client) -> None:
    own = amo.world.integration
    form = {
        "client_id": own.client_id,
        "client_secret": own.client_secret,
        "redirect_uri": own.redirect_uri,
        "grant_type": "authorization_code",
        "code": amo.authorize()["code"],
    }
    assert amo.session.post(amo.server.url + "/oauth2/access_token", data=form, timeout=60).status_code == 200


def test_a_code_works_once(amo: Client) -> None:
    code = amo.authorize()["code"]
    amo.exchange(code=code)
    second = amo.exchange(code=code)
    assert second.status_code == 400
    assert second.json()["hint"] == "Authorization code has been revoked"


def test_an_old_code_has_expired(amo: Client) -> None:
    code = amo.authorize()["code"]
    amo.queue("expire_code")
    answer = amo.exchange(code=code)
    assert answer.status_code == 400
    assert answer.json()["hint"] == "Authorization code has expired"


@pytest.mark.parametrize(
    ("change", "status", "hint"),
    [
        ({"code": "garbage"}, 400, "Cannot decrypt the authorization code"),
        ({"code": "x", "client_id": ""}, 400, "Check the `client_id` parameter"),
        ({"code": "x", "client_secret": ""}, 400, "Check the `client_secret` parameter"),
        ({"code": "x", "client_secret": "other"}, 401, None),
        ({"code": "x", "redirect_uri": "http://x"}, 400, "Redirect URI is not associated with client"),
        ({"refresh_token": "garbage"}, 401, "Cannot decrypt the refresh token"),
        ({"code": "x", "grant_type": "password"}, 400, "Check the `grant_type` parameter"),
    ],
)  # fmt: skip
def test_the_token_endpoint_says_what_is_wrong(
    amo: Client, change: dict[str, str], status: int, hint: str | None
) -> None:
    answer = amo.exchange(**change)
    assert answer.status_code == status
    assert answer.json().get("hint") == hint


def test_the_token_endpoint_may_not_know_the_account(amo: Client) -> None:
    amo.queue("wrong_account")
    assert amo.exchange(code="x").json()["hint"] == "Invalid account"


def test_a_refresh_gives_a_new_pair_and_spends_the_old_token(amo: Client) -> None:
    old = amo.pair()
    new = amo.exchange(refresh_token=old["refresh_token"]).json()
    again = amo.exchange(refresh_token=old["refresh_token"])
    assert new["refresh_token"] != old["refresh_token"]
    assert again.status_code == 401
    assert again.json()["hint"] == "Token has been revoked"


def use_the_access_token(amo: Client, pair: dict[str, Any]) -> None:
    amo.get("account", pair["access_token"])


def use_the_refresh_token(amo: Client, pair: dict[str, Any]) -> None:
    amo.exchange(refresh_token=pair["refresh_token"])


@pytest.mark.parametrize("use", [use_the_access_token, use_the_refresh_token])
def test_with_grace_the_old_token_works_until_the_new_pair_is_used(
    amo: Client, use: Callable[[Client, dict[str, Any]], None]
) -> None:
    amo.set(refresh_grace="until_new_used")
    old = amo.pair()
    amo.exchange(refresh_token=old["refresh_token"])
    second = amo.exchange(refresh_token=old["refresh_token"])
    use(amo, second.json())
    third = amo.exchange(refresh_token=old["refresh_token"])
    assert second.status_code == 200
    assert third.status_code == 401


def test_an_expired_access_token_is_401_and_can_be_refreshed(amo: Client) -> None:
    pair = amo.pair()
    amo.queue("expire_token")
    assert [amo.get("account", pair["access_token"]).status_code for _ in range(2)] == [401, 401]
    assert amo.exchange(refresh_token=pair["refresh_token"]).status_code == 200


def test_access_tokens_die_of_age(amo: Client) -> None:
    amo.set(access_seconds=0)
    assert amo.get("account", amo.pair()["access_token"]).status_code == 401


def test_a_switched_off_integration_lets_nobody_in(amo: Client) -> None:
    pair = amo.pair()
    amo.set(revoked=True)
    assert [amo.get("account", token).status_code for token in (None, pair["access_token"])] == [401, 401]
    assert amo.exchange(refresh_token=pair["refresh_token"]).json()["hint"] == "Token has been revoked"


def test_the_account_address_is_told_to_the_owner_of_a_refresh_token(amo: Client) -> None:
    url = amo.server.url + "/oauth2/account/current/subdomain"
    told = amo.session.get(url, headers={"X-Refresh-Token": amo.pair()["refresh_token"]}, timeout=60)
    refused = amo.session.get(url, headers={"X-Refresh-Token": "x"}, timeout=60)
    assert told.json()["domain"] == "asui-practice.amocrm.ru"
    assert refused.status_code == 401


def test_another_companys_token_is_refused(amo: Client) -> None:
    assert amo.get("account", long_lived_token(big_world(0, 0, 0, NOW))).status_code == 401
