"""amoCRM by keys: to the vendor's page and back with a one-time state, and every other way back, which is refused."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import select
from werkzeug.test import TestResponse

from synkro.extensions import redis, remember, settings, vault
from synkro.infra import queue
from synkro.integrations.errors import ApiError
from synkro.jobs.engine.worker import work_on
from synkro.models import AuditLog, IntegrationConfig, Tenant, User
from synkro.services.connections import amocrm_tokens, integrations
from synkro.services.connections.amocrm_connect import STATE_SECONDS
from synkro.tenancy import db, tenant_scope
from tests.conftest import redis_away
from tests.support.having import assert_entries, assert_has
from tests.support.practice import Practice
from tests.support.web_client import Browser, Enter

AUTHORIZE, CALLBACK = "/settings/amocrm/authorize", "/integrations/amocrm/callback/alfa"
HTML = {"Accept": "text/html"}


@pytest.fixture
def keyed(practice: Practice) -> Practice:
    """A person has typed the keys of the integration in, and nothing else opens the account."""
    own = practice.world.integration
    practice.control("amocrm", set={"redirect_uri": amocrm_tokens.redirect_uri(practice.tenant.slug)})
    with tenant_scope(practice.tenant.id):
        keys = {"client_id": own.client_id, "client_secret": own.client_secret, "token": None, "subdomain": None}
        integrations.save("amocrm", keys, actor="test")
    return practice


def way_there(browser: Browser) -> str:
    answer = browser.get(AUTHORIZE)
    assert answer.status_code == 302
    return answer.location


def state_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["state"][0]


def way_back(browser: Browser, **choice: str) -> str:
    """The address on our side that the vendor's page leads to."""
    answer = requests.get(way_there(browser), params=choice or {"answer": "yes"}, allow_redirects=False, timeout=60)
    return answer.headers["Location"]


def follow(browser: Browser, address: str) -> TestResponse:
    """As from a page of another site."""
    parts = urlsplit(address)
    return browser.get(f"{parts.path}?{parts.query}", headers={**HTML, "Sec-Fetch-Site": "cross-site"})


def config_of(tenant: Tenant) -> IntegrationConfig:
    with tenant_scope(tenant.id):
        config = integrations.find("amocrm")
        assert config is not None
        return config


def refusals(tenant: Tenant) -> list[str]:
    with tenant_scope(tenant.id):
        found = db.session.execute(
            select(AuditLog).where(AuditLog.act == "oauth_refused").order_by(AuditLog.seq)
        ).scalars()
        return [str(row.details["reason"]) for row in found]


def test_a_person_who_agrees_is_connected_and_green(app: Flask, keyed: Practice, enter: Enter) -> None:
    browser = enter("settings")
    back = follow(browser, way_back(browser))
    assert_has(back, status_code=303, location="/settings/amocrm?way=oauth#state")
    assert "code" in config_of(keyed.tenant).secrets
    work_on(app, queue.CHECKS, burst=True)
    config = config_of(keyed.tenant)
    assert_has(config, check_colour="green", check_code="amocrm_ok")
    assert_entries(config.settings, subdomain=keyed.world.subdomain, zone="amocrm.ru")
    assert {"access_token", "refresh_token"} <= set(config.secrets)
    assert "code" not in config.secrets


def test_the_vendors_page_offers_a_browser_both_answers(keyed: Practice, enter: Enter) -> None:
    page = requests.get(way_there(enter("settings")), headers=HTML, timeout=60)
    assert page.status_code == 200
    assert 'value="yes"' in page.text
    assert 'value="no"' in page.text


def test_a_redirect_typed_on_the_vendors_page_is_the_one_that_counts(keyed: Practice, enter: Enter) -> None:
    typed = "https://example.com/elsewhere"
    assert way_back(enter("settings"), answer="yes", redirect_uri=typed).startswith(f"{typed}?")


def test_a_person_who_does_not_agree_comes_back_with_a_warning(keyed: Practice, enter: Enter) -> None:
    browser = enter("settings")
    back = follow(browser, way_back(browser, answer="no"))
    assert back.status_code == 303
    assert "You did not agree in amoCRM" in browser.get(back.location).text
    assert "code" not in config_of(keyed.tenant).secrets


def test_without_keys_nobody_is_sent_away(practice: Practice, enter: Enter) -> None:
    browser = enter("settings")
    assert browser.get(AUTHORIZE).location == "/settings/amocrm?way=oauth#state"
    assert "Save the integration ID and the secret key first" in browser.get("/settings/amocrm").text


def test_a_kommo_account_is_sent_to_kommo(app: Flask, keyed: Practice, enter: Enter) -> None:
    remember(app, replace(settings(), stand_ins={}), vault(), redis())
    with tenant_scope(keyed.tenant.id):
        integrations.save("amocrm", {"subdomain": "demo.kommo.com"}, actor="test")
    assert way_there(enter("settings")).startswith("https://www.kommo.com/oauth?")


def test_the_state_is_kept_for_ten_minutes_and_not_in_clear(keyed: Practice, enter: Enter, store: Redis) -> None:
    state = state_of(way_there(enter("settings")))
    (key,) = store.keys("oauth_state:*")  # type: ignore[misc]
    assert state not in key.decode()
    assert 0 < store.ttl(key) <= STATE_SECONDS == 600  # type: ignore[operator]


# Every other way back


def refused(practice: Practice, browser: Browser, address: str, reason: str) -> None:
    answer = follow(browser, address)
    assert answer.status_code == 400
    assert "Press Connect amoCRM once more" in answer.text
    assert refusals(practice.tenant) == [reason]
    assert "code" not in config_of(practice.tenant).secrets


def test_a_state_works_once(app: Flask, keyed: Practice, enter: Enter) -> None:
    browser = enter("settings")
    address = way_back(browser)
    assert follow(browser, address).status_code == 303
    work_on(app, queue.CHECKS, burst=True)
    refused(keyed, browser, address, "state")


def test_an_answer_that_was_refused_has_used_its_state_up(keyed: Practice, enter: Enter) -> None:
    browser = enter("settings")
    address = way_back(browser)
    follow(browser, address.replace("/alfa?", "/beta?"))
    assert follow(browser, address).status_code == 400


@pytest.mark.parametrize("state", ["", "state=", "state=x", "state=%00%ff", "state=" + "x" * 5000])
def test_an_unknown_state_is_refused(keyed: Practice, enter: Enter, state: str) -> None:
    refused(keyed, enter("settings"), f"{CALLBACK}?code=c&referer={keyed.world.subdomain}.amocrm.ru&{state}", "state")


def test_a_state_that_has_expired_is_refused(keyed: Practice, enter: Enter, store: Redis) -> None:
    browser = enter("settings")
    address = way_back(browser)
    for key in store.keys("oauth_state:*"):  # type: ignore[union-attr]
        store.expire(key, 0)
    refused(keyed, browser, address, "state")


def test_the_address_of_another_company_is_refused(keyed: Practice, enter: Enter) -> None:
    browser = enter("settings")
    refused(keyed, browser, way_back(browser).replace("/alfa?", "/beta?"), "state")


def test_the_state_of_another_session_is_refused(keyed: Practice, enter: Enter) -> None:
    refused(keyed, enter("settings"), way_back(enter("settings")), "state")


def test_the_state_of_another_person_is_refused(
    keyed: Practice, enter: Enter, cast: dict[str, User], sign_in: Callable[..., FlaskClient]
) -> None:
    address = way_back(enter("settings"))
    cast["user"].can_manage_settings = True
    db.session.merge(cast["user"])
    db.session.commit()
    refused(keyed, enter("user"), address, "state")


def test_the_state_of_another_company_is_refused(keyed: Practice, enter: Enter, cast: dict[str, User]) -> None:
    address = way_back(enter("settings"))
    cast["other"].can_manage_settings = True
    db.session.merge(cast["other"])
    db.session.commit()
    answer = follow(enter("other"), address)
    assert answer.status_code == 400
    with tenant_scope(cast["other"].tenant_id or keyed.tenant.id):
        assert integrations.find("amocrm") is None


@pytest.mark.parametrize("referer", ["", "evil.example.com", "demo.amocrm.ru.evil.com", "127.0.0.1", "www.amocrm.ru"])
def test_an_account_outside_of_the_vendor_is_refused(keyed: Practice, enter: Enter, referer: str) -> None:
    browser = enter("settings")
    state = state_of(way_there(browser))
    refused(keyed, browser, f"{CALLBACK}?state={state}&code=c&referer={referer}", "referer")


def test_an_answer_without_a_code_is_refused(keyed: Practice, enter: Enter) -> None:
    browser = enter("settings")
    state = state_of(way_there(browser))
    refused(keyed, browser, f"{CALLBACK}?state={state}&referer=demo.amocrm.ru&code=%20", "code")


def test_without_redis_nobody_is_sent_away(app: Flask, keyed: Practice, enter: Enter) -> None:
    browser = enter("settings")
    remember(app, settings(), vault(), redis_away())
    answer = browser.get(AUTHORIZE)
    assert answer.status_code == 503
    assert "Redis does not answer" in answer.text


# What becomes of the code


def test_the_code_is_neither_logged_nor_carried_on(
    keyed: Practice, enter: Enter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = enter("settings")
    address = way_back(browser)
    code = parse_qs(urlsplit(address).query)["code"][0]
    for answer in (follow(browser, address), follow(browser, address)):
        assert answer.headers["Referrer-Policy"] == "strict-origin"
        assert code not in answer.text + answer.headers.get("Location", "")
    assert [line for line in caplog.text.splitlines() if code in line] == []
    assert CALLBACK in str([getattr(record, "fields", "") for record in caplog.records])
    with tenant_scope(keyed.tenant.id):
        kept = db.session.execute(select(AuditLog)).scalars()
        assert not [row for row in kept if code in str(row.payload())]


@pytest.mark.parametrize(
    ("fault", "code"), [("expire_code", "amocrm_code_expired"), ("wrong_account", "amocrm_other_account")]
)
def test_a_code_that_the_vendor_refuses_breaks_a_step_that_says_why(
    app: Flask, keyed: Practice, enter: Enter, fault: str, code: str
) -> None:
    browser = enter("settings")
    keyed.control("amocrm", fault=fault)
    follow(browser, way_back(browser))
    work_on(app, queue.CHECKS, burst=True)
    config = config_of(keyed.tenant)
    assert_has(config, check_colour="red", check_code=code)
    page = browser.get("/settings/amocrm").text
    assert "Does not work" in page
    assert f"Code: {code}" in page


def test_a_wrong_secret_is_told_and_can_be_mended(app: Flask, keyed: Practice, enter: Enter) -> None:
    browser = enter("settings")
    with tenant_scope(keyed.tenant.id):
        integrations.save("amocrm", {"client_secret": "wrong"}, actor="test")
    follow(browser, way_back(browser))
    work_on(app, queue.CHECKS, burst=True)
    assert config_of(keyed.tenant).check_code == "amocrm_client_refused"
    with tenant_scope(keyed.tenant.id):
        secret = keyed.world.integration.client_secret
        integrations.save("amocrm", {"client_secret": secret}, actor="test")
        with pytest.raises(ApiError, match="amocrm_reconnect"):
            integrations.build("amocrm")
    follow(browser, way_back(browser))
    work_on(app, queue.CHECKS, burst=True)
    assert config_of(keyed.tenant).check_colour == "green"


def test_the_page_offers_to_connect_once_the_keys_are_saved(keyed: Practice, enter: Enter) -> None:
    browser = enter("settings")
    assert AUTHORIZE in browser.get("/settings/amocrm?way=oauth").text
    with tenant_scope(keyed.tenant.id):
        integrations.save("amocrm", {"client_secret": None}, actor="test")
    assert AUTHORIZE not in browser.get("/settings/amocrm?way=oauth").text


def test_the_guide_shows_both_addresses_for_copying(keyed: Practice, enter: Enter) -> None:
    page = enter("settings").get("/settings/amocrm?way=oauth").text
    assert amocrm_tokens.redirect_uri("alfa") in page
    assert "/integrations/amocrm/disabled/alfa" in page
