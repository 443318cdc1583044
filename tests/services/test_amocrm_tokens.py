from __future__ import annotations

import time
from typing import Any

import pytest
import requests
from flask import Flask

from synkro.integrations.amocrm import Amocrm
from synkro.integrations.errors import ApiError, Refused, Unreachable
from synkro.models import Tenant
from synkro.services import amocrm_tokens, integrations
from synkro.services.secrets import seal_secret
from synkro.tenancy import db, tenant_scope
from tests.practice import Practice
from tests.services import at_once


@pytest.fixture
def expired(practice: Practice) -> Practice:
    """Connected through OAuth, with a pair whose access token is too old."""
    practice.control("amocrm", set={"redirect_uri": amocrm_tokens.redirect_uri(practice.tenant.slug)})
    pair = first_pair(practice)
    with tenant_scope(practice.tenant.id):
        config = integrations.find("amocrm")
        assert config is not None
        app = practice.world.integration
        config.settings = {**config.settings, "client_id": app.client_id, "expires_at": str(int(time.time()) - 5)}
        secrets = {"client_secret": app.client_secret, **pair}
        config.secrets = {name: seal_secret("amocrm", name, value) for name, value in secrets.items()}
        db.session.commit()
    requests.delete(f"{practice.urls['amocrm']}/__requests", timeout=10)
    return practice


def first_pair(practice: Practice) -> dict[str, str]:
    """What the exchange of a code gave."""
    url, app = practice.urls["amocrm"], practice.world.integration
    place = {"client_id": app.client_id, "state": "x"}
    answer = requests.get(f"{url}/oauth", params=place, allow_redirects=False, timeout=10)
    code = answer.headers["Location"].split("code=")[1].split("&")[0]
    body = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": amocrm_tokens.redirect_uri(practice.tenant.slug),
        "grant_type": "authorization_code",
        "code": code,
    }
    tokens = requests.post(f"{url}/oauth2/access_token", json=body, timeout=10).json()
    return {name: tokens[name] for name in ("access_token", "refresh_token")}


def refreshes(practice: Practice) -> int:
    return sum(entry["path"] == "/oauth2/access_token" for entry in practice.look("amocrm", "/__requests"))


def built(practice: Practice) -> Amocrm:
    with tenant_scope(practice.tenant.id):
        client = integrations.build("amocrm")
    assert isinstance(client, Amocrm)
    return client


def stored(tenant: Tenant) -> dict[str, Any]:
    with tenant_scope(tenant.id):
        config = integrations.find("amocrm")
        assert config is not None
        return {**config.settings, **config.secrets, "code": config.check_code}


def test_twenty_at_once_renew_once(app: Flask, expired: Practice) -> None:
    clients = at_once(app, expired.tenant, 20, lambda _: integrations.build("amocrm"))
    assert refreshes(expired) == 1
    assert len({client.settings["access_token"] for client in clients}) == 1


def test_a_renewed_token_is_let_in(expired: Practice) -> None:
    assert built(expired).account().name


def test_the_new_pair_is_saved_sealed(expired: Practice) -> None:
    before = stored(expired.tenant)
    client = built(expired)
    after = stored(expired.tenant)
    for name in ("access_token", "refresh_token"):
        assert after[name] != before[name]
        assert after[name].startswith("v1.")
        assert client.settings[name] not in str(after)
    assert int(after["expires_at"]) > time.time() + 3_600


def test_a_token_that_lives_is_not_renewed(expired: Practice) -> None:
    built(expired)
    built(expired)
    assert refreshes(expired) == 1


def test_a_long_lived_token_is_never_renewed(practice: Practice) -> None:
    built(practice)
    assert refreshes(practice) == 0


def test_a_lost_answer_is_asked_for_once_more(expired: Practice) -> None:
    expired.control("amocrm", set={"refresh_grace": "until_new_used"})
    expired.control("amocrm", fault="drop_after", path="access_token")
    assert built(expired).account().name
    assert refreshes(expired) == 2


def test_a_lost_answer_whose_token_is_spent_asks_to_reconnect(expired: Practice) -> None:
    expired.control("amocrm", fault="drop_after", path="access_token")
    with pytest.raises(Refused, match="amocrm_reconnect"):
        built(expired)


def test_a_refused_token_is_not_knocked_with_again(expired: Practice) -> None:
    expired.control("amocrm", set={"revoked": True})
    for _ in range(3):
        with pytest.raises(Refused, match="amocrm_reconnect"):
            built(expired)
    assert refreshes(expired) == 1
    assert "refresh_token" not in stored(expired.tenant)
    assert stored(expired.tenant)["code"] == "amocrm_reconnect"


def test_twenty_at_once_knock_once_at_a_closed_door(app: Flask, expired: Practice) -> None:
    expired.control("amocrm", set={"revoked": True})

    def code(_: int) -> str:
        try:
            integrations.build("amocrm")
        except ApiError as error:
            return error.code
        return "built"

    assert set(at_once(app, expired.tenant, 20, code)) == {"amocrm_reconnect"}
    assert refreshes(expired) == 1


@pytest.mark.parametrize("fault", ["500", "502_html", "drop"])
def test_a_vendor_that_is_away_costs_no_token(expired: Practice, fault: str) -> None:
    expired.control("amocrm", fault=fault, path="access_token", times=2)
    with pytest.raises(Unreachable):
        built(expired)
    assert built(expired).account().name


def test_a_block_costs_no_token(expired: Practice) -> None:
    expired.control("amocrm", set={"rps": 1, "block_after_429": 1})
    for _ in range(3):
        requests.get(f"{expired.urls['amocrm']}/api/v4/account", timeout=10)
    with pytest.raises(Refused, match="amocrm_blocked"):
        built(expired)
    assert "refresh_token" in stored(expired.tenant)


def test_a_failed_renewal_leaves_the_row_free(expired: Practice) -> None:
    expired.control("amocrm", fault="500", path="access_token", times=2)
    with tenant_scope(expired.tenant.id):
        with pytest.raises(Unreachable):
            integrations.build("amocrm")
        assert not db.session().in_transaction()


def test_the_tokens_of_two_companies_are_apart(expired: Practice, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant.id), pytest.raises(integrations.NotConnected):
        integrations.build("amocrm")
    assert refreshes(expired) == 0
