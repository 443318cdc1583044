from __future__ import annotations

import time
from typing import Any

import pytest
import requests
from flask import Flask

from synkro.infra.pace import RedisPacer
from synkro.integrations.amocrm.client import Amocrm
from synkro.integrations.errors import ApiError, Busy, Refused, Unreachable
from synkro.models import Tenant
from synkro.services.connections import amocrm_tokens, checks, integrations
from synkro.tenancy import db, tenant_scope
from tests.support.amocrm_oauth import expired as expired  # noqa: PLC0414 (a fixture)
from tests.support.amocrm_oauth import first_pair, new_code, refreshes, typed
from tests.support.practice import Practice
from tests.support.runs_by_hand import at_once


@pytest.fixture
def ended(expired: Practice) -> Practice:
    """The access token lives on by our clock, but the vendor takes it for too old."""
    typed(expired, expires_at=str(int(time.time()) + 9_999))
    expired.control("amocrm", fault="expire_token")
    return expired


@pytest.fixture
def invited(practice: Practice) -> Practice:
    """A person has typed the integration's keys in, and a code."""
    practice.control("amocrm", set={"redirect_uri": BACK})
    typed(practice, code=new_code(practice), redirect_uri=BACK)
    return practice


BACK = "https://example.com/back"


def built(practice: Practice) -> Amocrm:
    with tenant_scope(practice.tenant.id):
        client = integrations.build("amocrm")
    assert isinstance(client, Amocrm)
    return client


def stored(tenant: Tenant) -> dict[str, Any]:
    with tenant_scope(tenant.id):
        config = integrations.find("amocrm")
        assert config is not None
        return {**config.settings, **config.secrets, "check_code": config.check_code}


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
    assert stored(expired.tenant)["check_code"] == "amocrm_reconnect"


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


@pytest.mark.usefixtures("standing")
def test_a_block_costs_no_token(expired: Practice) -> None:
    expired.control("amocrm", set={"rps": 1, "block_after_429": 1})
    for _ in range(3):
        requests.get(f"{expired.urls['amocrm']}/api/v4/account", timeout=60)
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


@pytest.mark.parametrize("at", ["2026-03-17T15:00:00+00:00", "soon", "", "1e9999", "9" * 40, "-5"])
def test_a_time_that_cannot_be_read_has_passed(expired: Practice, at: str) -> None:
    typed(expired, expires_at=at)
    assert built(expired).account().name
    assert refreshes(expired) == 1


def test_a_refresh_token_alone_becomes_a_pair(practice: Practice) -> None:
    practice.control("amocrm", set={"redirect_uri": amocrm_tokens.redirect_uri(practice.tenant.slug)})
    typed(practice, refresh_token=first_pair(practice)["refresh_token"])
    with tenant_scope(practice.tenant.id):
        assert integrations.is_connected("amocrm")
    assert built(practice).account().name
    assert refreshes(practice) == 1


# A token that the vendor ended before its time


def test_a_check_renews_a_token_that_the_vendor_ended(ended: Practice) -> None:
    with tenant_scope(ended.tenant.id):
        assert checks.run("amocrm").code == "amocrm_ok"
    assert refreshes(ended) == 1


def test_a_run_renews_a_token_that_the_vendor_ended(ended: Practice) -> None:
    assert ended.run().status == "succeeded"
    assert refreshes(ended) == 1


def test_twenty_who_are_refused_at_once_renew_once(app: Flask, ended: Practice) -> None:
    clients = [built(ended) for _ in range(20)]
    names = at_once(app, ended.tenant, 20, lambda place: clients[place].account().name)
    assert len(set(names)) == 1
    assert refreshes(ended) == 1


def test_who_was_refused_uses_the_pair_that_another_made_meanwhile(ended: Practice) -> None:
    slow, quick = built(ended), built(ended)
    with tenant_scope(ended.tenant.id):
        quick.account()
        values = amocrm_tokens.renewed(integrations.http_client("amocrm"), slow.settings["access_token"])
    assert values["access_token"] == quick.settings["access_token"]
    assert refreshes(ended) == 1


def test_a_token_that_was_ended_for_good_is_not_knocked_with_again(ended: Practice) -> None:
    ended.control("amocrm", set={"revoked": True})
    with tenant_scope(ended.tenant.id):
        assert [checks.run("amocrm").code for _ in range(3)] == ["amocrm_reconnect"] * 3
    assert [entry["path"] for entry in ended.look("amocrm", "/__requests")][:2] == [
        "/api/v4/account",
        "/oauth2/access_token",
    ]
    assert refreshes(ended) == 1


# Codes


def test_a_code_connects(invited: Practice) -> None:
    with tenant_scope(invited.tenant.id):
        assert integrations.is_connected("amocrm")
        assert checks.run("amocrm").code == "amocrm_ok"
    kept = stored(invited.tenant)
    assert "code" not in kept
    assert {"access_token", "refresh_token"} <= set(kept)
    assert refreshes(invited) == 1


def test_without_a_typed_redirect_address_our_own_is_told(practice: Practice) -> None:
    practice.control("amocrm", set={"redirect_uri": amocrm_tokens.redirect_uri(practice.tenant.slug)})
    typed(practice, code=new_code(practice))
    assert built(practice).account().name


def test_twenty_at_once_exchange_a_code_once(app: Flask, invited: Practice) -> None:
    clients = at_once(app, invited.tenant, 20, lambda _: integrations.build("amocrm"))
    assert refreshes(invited) == 1
    assert len({client.settings["access_token"] for client in clients}) == 1


def test_a_new_code_takes_the_place_of_what_opened_the_account_before(practice: Practice) -> None:
    practice.control("amocrm", set={"redirect_uri": BACK})
    app = practice.world.integration
    keys = {"client_id": app.client_id, "client_secret": app.client_secret, "redirect_uri": BACK}
    with tenant_scope(practice.tenant.id):
        integrations.save("amocrm", {**keys, "code": new_code(practice)})
    assert built(practice).account().name
    assert "token" not in stored(practice.tenant)


@pytest.mark.parametrize(
    ("fault", "code"), [("expire_code", "amocrm_code_expired"), ("wrong_account", "amocrm_other_account")]
)
def test_a_refused_code_is_told_and_not_knocked_with_again(invited: Practice, fault: str, code: str) -> None:
    invited.control("amocrm", fault=fault)
    with tenant_scope(invited.tenant.id):
        assert checks.run("amocrm").code == code
        for _ in range(3):
            with pytest.raises(ApiError):
                integrations.build("amocrm")
    assert refreshes(invited) == 1
    assert "code" not in stored(invited.tenant)


def test_twenty_at_once_knock_once_with_a_refused_code(app: Flask, invited: Practice) -> None:
    invited.control("amocrm", fault="expire_code")

    def code(_: int) -> str:
        try:
            integrations.build("amocrm")
        except ApiError as error:
            return error.code
        return "built"

    assert "built" not in at_once(app, invited.tenant, 20, code)
    assert refreshes(invited) == 1


def test_a_vendor_that_is_away_costs_no_code(invited: Practice) -> None:
    invited.control("amocrm", fault="503", path="access_token")
    with pytest.raises(Unreachable):
        built(invited)
    assert built(invited).account().name


# Rests


REAL_PAUSE = RedisPacer.pause


@pytest.mark.usefixtures("standing")
def test_after_a_block_nobody_of_the_company_knocks(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RedisPacer, "pause", REAL_PAUSE)
    practice.control("amocrm", set={"rps": 1, "block_after_429": 1})
    for _ in range(2):
        requests.get(f"{practice.urls['amocrm']}/api/v4/account", timeout=60)
    requests.delete(f"{practice.urls['amocrm']}/__requests", timeout=60)
    with tenant_scope(practice.tenant.id):
        made = [checks.run("amocrm") for _ in range(3)]
    assert {(check.colour, check.code) for check in made} == {("red", "amocrm_blocked")}
    assert len(practice.look("amocrm", "/__requests")) == 1


def test_after_a_429_other_workers_wait_as_long(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RedisPacer, "pause", REAL_PAUSE)
    practice.control("amocrm", fault="429")
    with tenant_scope(practice.tenant.id):
        assert [checks.run("amocrm").code for _ in range(3)] == ["busy"] * 3
        with pytest.raises(Busy) as raised:
            integrations.build("amocrm").check()
    assert 50 < (raised.value.retry_after or 0) <= 60
    assert len(practice.look("amocrm", "/__requests")) == 1
