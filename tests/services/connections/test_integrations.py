from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask, current_app
from flask_babel import force_locale
from redis import Redis
from sqlalchemy import text

from synkro.crypto import Vault
from synkro.errors import AppError
from synkro.extensions import redis, remember, settings, vault
from synkro.infra import queue
from synkro.integrations import INTEGRATIONS
from synkro.integrations.base import Check
from synkro.integrations.radist.client import HOSTS
from synkro.jobs.connections.checks import check
from synkro.jobs.engine.worker import work_on
from synkro.models import AuditLog, IntegrationConfig, Tenant
from synkro.services.connections import checks, integrations
from synkro.services.connections.integrations import KeysUnreadable, NotConnected
from synkro.tenancy import db, tenant_scope
from tests.conftest import redis_away
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.runs_by_hand import at_once

RADIST = {"api_key": "a-key-of-nobody", "company_id": "1"}


def config_of(tenant: Tenant, kind: str) -> IntegrationConfig:
    with tenant_scope(tenant.id):
        config = integrations.find(kind)
        assert config is not None
        return config


def save(tenant: Tenant, values: Mapping[str, str | None]) -> None:
    with tenant_scope(tenant.id):
        integrations.save("radist", values)


def test_secrets_are_sealed_and_the_rest_is_shown(tenant: Tenant) -> None:
    save(tenant, RADIST)
    config = config_of(tenant, "radist")
    assert config.settings == {"company_id": "1"}
    assert list(config.secrets) == ["api_key"]
    with tenant_scope(tenant.id):
        stored = db.session.execute(text("select secrets::text || settings::text from integration_configs"))
        assert RADIST["api_key"] not in stored.scalar_one()


def test_an_empty_secret_keeps_the_old_one(tenant: Tenant) -> None:
    save(tenant, RADIST)
    before = config_of(tenant, "radist").secrets
    save(tenant, {"api_key": " ", "company_id": "2"})
    after = config_of(tenant, "radist")
    assert_has(after, secrets=before, settings={"company_id": "2"})


def test_a_field_that_is_shown_can_be_emptied(tenant: Tenant) -> None:
    save(tenant, RADIST)
    save(tenant, {"company_id": ""})
    assert config_of(tenant, "radist").settings == {"company_id": ""}


@pytest.mark.parametrize("name", ["api_key", "company_id"])
def test_none_removes_a_value(tenant: Tenant, name: str) -> None:
    save(tenant, RADIST)
    save(tenant, {name: None})
    config = config_of(tenant, "radist")
    assert set(config.secrets) | set(config.settings) == set(RADIST) - {name}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("radist", {"base_url": "https://evil.example.com/"}),
        ("radist", {"base_url": "https://api.radist.online.evil.example/v2"}),
        ("radist", {"base_url": "https://[::1"}),
        ("ai", {"provider": "azure"}),
        ("ai", {"provider": "http://127.0.0.1:8080"}),
        ("amocrm", {"zone": "evil.example"}),
    ],
)
def test_what_is_none_of_the_choices_is_refused(tenant: Tenant, kind: str, values: dict[str, str]) -> None:
    allow_host("127.0.0.1:8080")
    with tenant_scope(tenant.id):
        with pytest.raises(AppError, match="bad_choice"):
            integrations.save(kind, values)
        assert integrations.find(kind) is None


@pytest.mark.parametrize("url", [*HOSTS, f"{HOSTS[1]}/", "", "http://127.0.0.1:8080/v2"])
def test_choices_and_listed_hosts_are_taken(tenant: Tenant, url: str) -> None:
    allow_host("127.0.0.1:8080")
    save(tenant, {"base_url": url})
    assert config_of(tenant, "radist").settings == {"base_url": url}


def allow_host(host: str) -> None:
    remember(current_app, replace(settings(), outbound_allow_hosts=frozenset({host})), vault(), redis())  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [{"password": "x"}, {"api_key": "x", "__class__": "y"}])
def test_what_is_no_field_is_refused(tenant: Tenant, values: dict[str, str]) -> None:
    with pytest.raises(AppError, match="unknown_field"):
        save(tenant, values)


def test_fields_that_are_none_are_named(tenant: Tenant) -> None:
    with pytest.raises(AppError) as refused:
        save(tenant, {"b%(x)s": "1", "a": "2"})
    with force_locale("en"):
        assert str(refused.value.says) == "Unknown field: a, b%(x)s"


@pytest.mark.parametrize("value", ["x" * 8_001, "a\x00b"])
def test_impossible_values_are_refused_and_leave_nothing(tenant: Tenant, value: str) -> None:
    with tenant_scope(tenant.id):
        with pytest.raises(AppError, match="bad_value"):
            integrations.save("radist", {"api_key": value})
        db.session.commit()
        assert integrations.find("radist") is None


def test_saves_at_once_all_count(app: Flask, tenant: Tenant) -> None:
    at_once(app, tenant, 6, lambda n: integrations.save("radist", {"api_key": f"key {n}"}).version)
    assert config_of(tenant, "radist").version == 6


def test_the_log_names_fields_and_holds_no_value(tenant: Tenant) -> None:
    save(tenant, RADIST)
    with tenant_scope(tenant.id):
        row = db.session.query(AuditLog).filter_by(act="integration_saved").one()
    assert row.details == {"fields": ["api_key", "company_id"]}


def test_the_secrets_of_another_company_do_not_open(tenant: Tenant, other_tenant: Tenant) -> None:
    save(tenant, RADIST)
    stolen = config_of(tenant, "radist").secrets
    save(other_tenant, {"api_key": "own"})
    with tenant_scope(other_tenant.id):
        config = integrations.find("radist")
        assert config is not None
        config.secrets = stolen
        db.session.commit()
        with pytest.raises(KeysUnreadable):
            integrations.build("radist")


@pytest.mark.parametrize("kind", INTEGRATIONS)
def test_what_is_not_connected_is_named(tenant: Tenant, kind: str) -> None:
    with tenant_scope(tenant.id), pytest.raises(NotConnected, match=f"{kind}_not_connected"):
        integrations.build(kind)


def pressed(tenant: Tenant, kind: str = "radist") -> None:
    with tenant_scope(tenant.id):
        checks.request(kind)


def check_jobs(store: Redis) -> int:
    return int(queue.queue(queue.CHECKS, store).count)


def test_pressing_twenty_times_makes_one_check(app: Flask, tenant: Tenant, store: Redis) -> None:
    save(tenant, RADIST)
    for _ in range(10):
        pressed(tenant)
    at_once(app, tenant, 10, lambda _: checks.request("radist"))
    assert check_jobs(store) == 1


def test_pressing_at_once_makes_one_check(app: Flask, tenant: Tenant, store: Redis) -> None:
    save(tenant, RADIST)
    at_once(app, tenant, 20, lambda _: checks.request("radist"))
    assert check_jobs(store) == 1


def test_a_check_that_nobody_took_up_can_be_asked_for_again(tenant: Tenant, store: Redis) -> None:
    save(tenant, RADIST)
    pressed(tenant)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=checks.PATIENCE_SECONDS + 1)):
        assert checks.nobody_came(config_of(tenant, "radist"))
        pressed(tenant)
    assert check_jobs(store) == 2


def test_a_check_that_was_taken_up_is_told_from_one_that_nobody_took(practice: Practice) -> None:
    practice.control("radist", fault="slow", seconds=0)
    with tenant_scope(practice.tenant.id):
        asked = checks.request("radist")
        assert not checks.has_begun("radist", asked)
        work_on(practice.app, queue.CHECKS, burst=True)
        assert checks.has_begun("radist", asked)
        assert not checks.has_begun("radist", datetime.now(UTC))
        assert not checks.has_begun("amocrm", asked)


def test_a_check_ends_before_anybody_stops_waiting_for_it() -> None:
    assert checks.CHECK_SECONDS <= 50 < checks.PATIENCE_SECONDS


def test_without_redis_nothing_is_asked_for(tenant: Tenant) -> None:
    save(tenant, RADIST)
    remember(current_app, settings(), vault(), redis_away())  # type: ignore[arg-type]
    with pytest.raises(AppError, match="queue_away"):
        pressed(tenant)
    assert config_of(tenant, "radist").check_requested_at is None


def test_a_check_with_keys_that_do_not_open_is_red(practice: Practice) -> None:
    pressed(practice.tenant)
    remember(practice.app, settings(), Vault("ab" * 32), redis())
    work_on(practice.app, queue.CHECKS, burst=True)
    config = config_of(practice.tenant, "radist")
    assert_has(config, check_colour="red", check_code="keys_unreadable")
    assert config.check_requested_at is None


def test_what_is_not_connected_is_not_checked(tenant: Tenant) -> None:
    with pytest.raises(AppError, match="radist_not_connected"):
        pressed(tenant)


def test_new_settings_can_be_checked_at_once(tenant: Tenant, store: Redis) -> None:
    save(tenant, RADIST)
    pressed(tenant)
    save(tenant, {"company_id": "2"})
    pressed(tenant)
    assert check_jobs(store) == 2


@pytest.mark.parametrize("kind", INTEGRATIONS)
def test_a_good_connection_is_green(practice: Practice, kind: str) -> None:
    pressed(practice.tenant, kind)
    work_on(practice.app, queue.CHECKS, burst=True)
    config = config_of(practice.tenant, kind)
    assert_has(config, check_colour="green", check_requested_at=None)
    assert config.checked_at is not None
    assert checks.says(config)


def test_a_refused_key_is_red(practice: Practice) -> None:
    practice.control("radist", set={"revoked": True})
    pressed(practice.tenant)
    work_on(practice.app, queue.CHECKS, burst=True)
    config = config_of(practice.tenant, "radist")
    assert_has(config, check_colour="red", check_code="radist_key_refused")


def test_a_save_during_a_check_is_not_overwritten(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(_self: object) -> Check:
        save(practice.tenant, {"company_id": "2"})
        return Check("green", "radist_ok")

    monkeypatch.setattr(INTEGRATIONS["radist"], "check", check)
    with tenant_scope(practice.tenant.id):
        checks.run("radist")
    config = config_of(practice.tenant, "radist")
    assert config.check_colour is None
    assert config.settings["company_id"] == "2"


def test_a_check_that_breaks_on_our_side_is_red(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(INTEGRATIONS["radist"], "check", lambda _: 1 // 0)
    check(str(practice.tenant.id), "radist")
    config = config_of(practice.tenant, "radist")
    assert_has(config, check_colour="red", check_code="internal", check_requested_at=None)


def test_a_check_that_takes_too_long_is_red(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    practice.control("radist", fault="slow", seconds=5)
    monkeypatch.setattr(checks, "CHECK_SECONDS", 1)
    pressed(practice.tenant)
    work_on(practice.app, queue.CHECKS, burst=True)
    config = config_of(practice.tenant, "radist")
    assert_has(config, check_colour="red", check_code="check_too_long")
    assert checks.says(config) != "check_too_long"


def test_a_job_of_a_company_that_is_gone_is_harmless(app: Flask) -> None:
    check(str(uuid.uuid4()), "radist")


def test_a_setting_that_the_vendor_changed_is_kept(tenant: Tenant) -> None:
    save(tenant, RADIST)
    version = config_of(tenant, "radist").version
    with tenant_scope(tenant.id):
        integrations.save_setting("radist", "company_id", "7", "moved")
    config = config_of(tenant, "radist")
    assert config.settings["company_id"] == "7"
    assert config.version == version
