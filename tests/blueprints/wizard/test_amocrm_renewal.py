"""Renewing amoCRM's tokens where the account was renamed, a token is used twice, or an answer leads away."""

from __future__ import annotations

import pytest
from flask import Flask

from synkro.integrations.errors import Refused
from synkro.models import Tenant
from synkro.models.plan import StepKey
from synkro.services.connections import checks, integrations
from synkro.tenancy import db, tenant_scope
from tests.support.amocrm_oauth import expired as expired  # noqa: PLC0414 (a fixture)
from tests.support.amocrm_oauth import refreshes, typed
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.runs_by_hand import at_once


@pytest.fixture
def renamed(expired: Practice) -> Practice:
    """We know the account by its old name; there a renewal is refused, once."""
    typed(expired, subdomain="old-name")
    expired.control("amocrm", fault="wrong_account")
    return expired


def address(tenant: Tenant) -> str:
    with tenant_scope(tenant.id):
        config = integrations.find("amocrm")
        assert config is not None
        return f"{config.settings['subdomain']}.{config.settings['zone']}"


def test_a_renamed_account_is_followed_and_its_new_name_kept(renamed: Practice) -> None:
    with tenant_scope(renamed.tenant.id):
        assert checks.run("amocrm").code == "amocrm_ok"
    assert address(renamed.tenant) == f"{renamed.world.subdomain}.amocrm.ru"


def test_twenty_at_once_follow_a_renamed_account_once(app: Flask, renamed: Practice) -> None:
    clients = at_once(app, renamed.tenant, 20, lambda _: integrations.build("amocrm"))
    assert refreshes(renamed) == 2  # refused at the old name, let in at the new one
    assert len({client.settings["access_token"] for client in clients}) == 1


def test_a_refresh_token_used_elsewhere_asks_to_reconnect_once(expired: Practice) -> None:
    with tenant_scope(expired.tenant.id):
        config = integrations.find("amocrm")
        assert config is not None
        taken_before = dict(config.secrets)
        integrations.build("amocrm")
        integrations.save("amocrm", {"expires_at": "5"}, actor="test")
    restore(expired.tenant, taken_before)
    for _ in range(3):
        with tenant_scope(expired.tenant.id), pytest.raises(Refused, match="amocrm_reconnect"):
            integrations.build("amocrm")
    assert refreshes(expired) == 2


def restore(tenant: Tenant, secrets: dict[str, str]) -> None:
    """The keys as an older backup has them."""
    with tenant_scope(tenant.id):
        config = integrations.find("amocrm")
        assert config is not None
        config.secrets = secrets
        db.session.commit()


def test_a_run_whose_next_page_leads_away_ends_with_that_code(practice: Practice) -> None:
    away = {"last_page": "next_then_204", "foreign_next_link": "https://evil.example.com"}
    practice.control("amocrm", set=away)
    run_id = practice.start()
    for _ in range(8):
        practice.drain()
        if practice.state(run_id)[0].status == "failed":
            break
        practice.hurry(run_id)
    run, steps = practice.state(run_id)
    step = steps[list(StepKey).index(StepKey.FETCH_AMOCRM)]
    assert_has(run, status="failed", code="amocrm_foreign_link")
    assert step.code == "amocrm_foreign_link"
