"""amoCRM says that the integration was switched off: who is believed, and what is forgotten then."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select, text

from synkro.crypto import Vault
from synkro.infra import queue
from synkro.jobs.engine.worker import work_on
from synkro.models import AuditLog, IntegrationConfig, Tenant
from synkro.services.connections import amocrm_tokens, integrations
from synkro.tenancy import db, tenant_scope
from tests.support.amocrm_oauth import first_pair
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.web_client import Browser

HOOK = "/integrations/amocrm/disabled/"
ACCOUNT = "31415926"


@pytest.fixture
def connected(practice: Practice) -> Practice:
    """With a pair that lives, and no long-lived token beside it."""
    own = practice.world.integration
    practice.control("amocrm", set={"redirect_uri": amocrm_tokens.redirect_uri(practice.tenant.slug)})
    with tenant_scope(practice.tenant.id):
        keys = {"client_id": own.client_id, "client_secret": own.client_secret, "token": None}
        ends = str(int(time.time()) + 9_999)
        integrations.save("amocrm", {**keys, **first_pair(practice), "expires_at": ends}, actor="test")
    return practice


@pytest.fixture
def signed(practice: Practice) -> dict[str, str]:
    own = practice.world.integration
    return {"client_uuid": own.client_id, "account_id": ACCOUNT, "signature": sign(own.client_secret, own.client_id)}


def sign(secret: str, client_id: str) -> str:
    return hmac.new(secret.encode(), f"{client_id}|{ACCOUNT}".encode(), hashlib.sha256).hexdigest()


def config_of(tenant: Tenant) -> IntegrationConfig:
    with tenant_scope(tenant.id):
        config = integrations.find("amocrm")
        assert config is not None
        return config


def acts(tenant: Tenant) -> list[tuple[str, str]]:
    with tenant_scope(tenant.id):
        words = ("oauth_refused", "integration_switched_off")
        rows = db.session.execute(select(AuditLog).where(AuditLog.act.in_(words)).order_by(AuditLog.seq)).scalars()
        return [(row.act, row.actor) for row in rows]


def test_the_vendors_word_ends_the_connection(connected: Practice, client: Browser, signed: dict[str, str]) -> None:
    assert client.get(HOOK + "alfa", query_string=signed).status_code == 204
    config = config_of(connected.tenant)
    assert not {"access_token", "refresh_token", "code"} & set(config.secrets)
    assert_has(config, check_colour="red", check_code="amocrm_reconnect")
    assert acts(connected.tenant) == [("integration_switched_off", "amoCRM")]


def test_the_check_that_follows_stays_red_and_calls_nobody(
    app: Flask, connected: Practice, client: Browser, signed: dict[str, str]
) -> None:
    before = len(connected.look("amocrm", "/__requests"))
    client.get(HOOK + "alfa", query_string=signed)
    work_on(app, queue.CHECKS, burst=True)
    config = config_of(connected.tenant)
    assert_has(config, check_colour="red", check_code="amocrm_reconnect")
    assert len(connected.look("amocrm", "/__requests")) == before


def test_a_long_lived_token_outlives_it(connected: Practice, client: Browser, signed: dict[str, str]) -> None:
    with tenant_scope(connected.tenant.id):
        integrations.save("amocrm", {"token": "long"}, actor="test")
    client.get(HOOK + "alfa", query_string=signed)
    config = config_of(connected.tenant)
    assert "token" in config.secrets
    assert config.check_colour is None


Change = Callable[[dict[str, str]], object]


@pytest.mark.parametrize(
    "change",
    [
        lambda sent: sent.clear(),
        lambda sent: sent.pop("signature"),
        lambda sent: sent.update(signature="0" * 64),
        lambda sent: sent.update(signature="подпись"),
        lambda sent: sent.update(account_id="1"),
        lambda sent: sent.update(client_uuid="other", signature=sign("practice-client-secret-opens-nothing", "other")),
        lambda sent: sent.update(signature=sign("", sent["client_uuid"])),
    ],
)
def test_nobody_else_is_believed(connected: Practice, client: Browser, signed: dict[str, str], change: Change) -> None:
    change(signed)
    assert client.get(HOOK + "alfa", query_string=signed).status_code == 404
    assert {"access_token", "refresh_token"} <= set(config_of(connected.tenant).secrets)
    assert acts(connected.tenant) == [("oauth_refused", "unknown")]


def test_strangers_do_not_fill_the_audit(connected: Practice, client: Browser) -> None:
    assert {client.get(HOOK + "alfa").status_code for _ in range(5)} == {404}
    assert acts(connected.tenant) == [("oauth_refused", "unknown")]


def test_a_stranger_has_one_secret_opened_and_no_other(
    connected: Practice, client: Browser, signed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    whole = Vault.open

    def note(vault: Vault, token: str, context: str) -> str:
        opened.append(context.rpartition("|")[2])
        return whole(vault, token, context)

    monkeypatch.setattr(Vault, "open", note)
    assert client.get(HOOK + "alfa", query_string={**signed, "signature": "0" * 64}).status_code == 404
    assert opened == ["client_secret"]


def test_a_stranger_does_not_wait_for_a_renewal(app: Flask, connected: Practice, client: Browser) -> None:
    with db.engine.connect() as renewal:
        renewal.execute(text("select set_config('app.tenant_id', :id, true)"), {"id": str(connected.tenant.id)})
        assert renewal.execute(text("select 1 from integration_configs where kind = 'amocrm' for update")).first()
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(client.get, HOOK + "alfa").result(10).status_code == 404


def test_a_company_without_keys_believes_nobody(
    connected: Practice, other_tenant: Tenant, client: Browser, signed: dict[str, str]
) -> None:
    assert client.get(HOOK + "beta", query_string=signed).status_code == 404
    assert "access_token" in config_of(connected.tenant).secrets
    assert acts(other_tenant) == [("oauth_refused", "unknown")]


def test_a_stranger_cannot_tell_which_companies_exist(connected: Practice, client: Browser) -> None:
    def answer(slug: str) -> tuple[int, str]:
        page = client.get(HOOK + slug)
        return page.status_code, page.text.replace(slug, "").replace(page.headers["X-Request-ID"], "")

    assert answer("alfa") == answer("nobody")
