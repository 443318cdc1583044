"""flask integrations, flask supabase-sql."""

from __future__ import annotations

import json
import subprocess

import pytest

from synkro.cli import integrations as commands
from synkro.extensions import remember, settings, vault
from synkro.integrations import INTEGRATIONS
from synkro.integrations.supabase.client import schema_sql
from synkro.models import IntegrationConfig, Tenant
from synkro.services.connections import checks, integrations
from synkro.services.connections.secrets import open_secrets
from synkro.tenancy import tenant_scope
from tests.cli.conftest import Cli
from tests.conftest import redis_away
from tests.support.having import assert_entries, assert_has
from tests.support.practice import Practice

FIELDS = {
    "supabase": {"url": "https://a.supabase.co", "publishable_key": "sb_publishable_1", "secret_key": "sb_secret_1"},
    "amocrm": {"subdomain": "demo", "token": "t", "client_id": "i", "client_secret": "s"},
    "radist": {"api_key": "k", "company_id": "7"},
    "ai": {"provider": "gemini", "api_key": "k", "model": "m", "base_url": "https://ai.example.com"},
    "telegram": {"bot_token": "1:t", "chat_id": "-1", "message_thread_id": "5"},
}


def stored(tenant: Tenant, kind: str) -> tuple[IntegrationConfig | None, dict[str, str]]:
    with tenant_scope(tenant.id):
        config = integrations.find(kind)
        return config, {**config.settings, **open_secrets(config)} if config else {}


@pytest.mark.parametrize("kind", FIELDS)
def test_fields_are_saved_and_nothing_is_printed(cli: Cli, tenant: Tenant, kind: str) -> None:
    done = cli("integrations", "set", "alfa", kind, given=json.dumps(FIELDS[kind]))
    assert_has(done, exit_code=0, stdout="", stderr=f"saved {kind}\n")
    assert stored(tenant, kind)[1] == FIELDS[kind]


@pytest.mark.parametrize("kind", FIELDS)
def test_secrets_lie_sealed(cli: Cli, tenant: Tenant, kind: str) -> None:
    cli("integrations", "set", "alfa", kind, given=json.dumps(FIELDS[kind]))
    config, _ = stored(tenant, kind)
    assert config is not None
    assert set(config.settings).isdisjoint(INTEGRATIONS[kind].secret_names())
    assert all(token.startswith("v1.") for token in config.secrets.values())


def test_empty_secret_keeps_the_old_one(cli: Cli, tenant: Tenant) -> None:
    cli("integrations", "set", "alfa", "radist", given=json.dumps(FIELDS["radist"]))
    cli("integrations", "set", "alfa", "radist", given=json.dumps({"api_key": "", "company_id": 8}))
    assert stored(tenant, "radist")[1] == {"api_key": "k", "company_id": "8"}


def test_null_moves_a_company_from_its_long_lived_token_to_oauth(cli: Cli, tenant: Tenant) -> None:
    cli("integrations", "set", "alfa", "amocrm", given=json.dumps({"subdomain": "demo", "token": "old"}))
    pair = {"access_token": "a", "refresh_token": "r", "expires_at": 9_999_999_999}
    cli("integrations", "set", "alfa", "amocrm", given=json.dumps({**pair, "token": None}))
    assert stored(tenant, "amocrm")[1] == {"subdomain": "demo", **{name: str(value) for name, value in pair.items()}}


def test_help_tells_how_a_value_is_removed(cli: Cli) -> None:
    assert "null removes a value" in " ".join(cli("integrations", "set", "--help").stdout.split())


@pytest.mark.parametrize(
    "given",
    ["", "{", "[]", '"text"', '{"api_key": {}}', '{"api_key": 1.5}', '{"api_key": ["k"]}', "[" * 100_000, b"\xff"],
    ids=lambda given: repr(given)[:20],
)
def test_what_is_no_object_of_values_is_wrong_use(cli: Cli, tenant: Tenant, given: str | bytes) -> None:
    done = cli("integrations", "set", "alfa", "radist", given=given)
    assert_has(done, exit_code=2, stdout="")
    assert stored(tenant, "radist")[0] is None


@pytest.mark.parametrize(
    ("slug", "given", "code", "exit_code"),
    [
        ("alfa", {"password": "p"}, "unknown_field", 2),
        ("alfa", {"api_key": "k" * 8_001}, "bad_value", 2),
        ("alfa", {"api_key": "k\x00"}, "bad_value", 2),
        ("alfa", {"base_url": "https://evil.example.com/"}, "bad_choice", 2),
        ("nobody", {"api_key": "k"}, "no_tenant", 1),
    ],
)
def test_refused_value_is_named(
    cli: Cli, tenant: Tenant, slug: str, given: dict[str, str], code: str, exit_code: int
) -> None:
    done = cli("integrations", "set", slug, "radist", given=json.dumps(given))
    assert_has(done, exit_code=exit_code, stdout="")
    assert f"({code})" in done.stderr


@pytest.mark.parametrize("command", ["set", "check"])
def test_unknown_kind_is_wrong_use(cli: Cli, tenant: Tenant, command: str) -> None:
    assert cli("integrations", command, "alfa", "bitrix", given="{}").exit_code == 2


@pytest.mark.parametrize("kind", FIELDS)
def test_check_of_what_is_not_connected_is_red(cli: Cli, tenant: Tenant, kind: str) -> None:
    done = cli("integrations", "check", "alfa", kind, "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert_entries(told, colour="red", code=f"{kind}_not_connected")
    assert set(told) == {"colour", "code", "says"}


def test_check_without_a_worker_says_so(cli: Cli, practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "WAIT_SECONDS", 0.5)
    done = cli("integrations", "check", "alfa", "radist", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["code"] == "no_worker"


def test_check_without_redis_says_so(cli: Cli, practice: Practice) -> None:
    remember(practice.app, settings(), vault(), redis_away())
    done = cli("integrations", "check", "alfa", "radist", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert_entries(told, colour="red", code="queue_away")
    assert "Redis" in told["says"]


def test_a_vendor_that_hangs_is_not_taken_for_a_missing_worker(
    cli: Cli, practice: Practice, worker: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("integrations", "check", "alfa", "radist").exit_code == 0
    practice.control("radist", fault="slow", seconds=20, times=-1)
    monkeypatch.setattr(commands, "WAIT_SECONDS", 1)
    monkeypatch.setattr(checks, "CHECK_SECONDS", 2)
    done = cli("integrations", "check", "alfa", "radist", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["code"] == "check_too_long"
    assert stored(practice.tenant, "radist")[0].check_code == "check_too_long"  # type: ignore[union-attr]


def test_check_whose_worker_was_killed_is_lost(cli: Cli, practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    with tenant_scope(practice.tenant.id):
        checks.request("radist")
        monkeypatch.setattr(checks, "_store", lambda *_, **__: None)  # what a killed worker does not come to
        checks.run("radist")
    monkeypatch.setattr(checks, "CHECK_SECONDS", 0.3)
    monkeypatch.setattr(commands, "GRACE_SECONDS", 0.3)
    done = cli("integrations", "check", "alfa", "radist", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["code"] == "check_lost"


def test_check_waits_a_minute_for_a_worker() -> None:
    assert commands.WAIT_SECONDS == 60


def test_worker_checks_every_connection_of_the_company(
    cli: Cli, practice: Practice, worker: subprocess.Popen[bytes]
) -> None:
    green = {kind: cli("integrations", "check", "alfa", kind, "--json") for kind in FIELDS}
    assert {kind: done.exit_code for kind, done in green.items()} == dict.fromkeys(FIELDS, 0)
    assert {kind: json.loads(done.stdout)["colour"] for kind, done in green.items()} == dict.fromkeys(FIELDS, "green")
    practice.control("amocrm", set={"revoked": True})
    red = cli("integrations", "check", "alfa", "amocrm", "--json")
    told = json.loads(red.stdout)
    assert red.exit_code == 1
    assert_entries(told, colour="red", code="amocrm_reconnect")
    assert told["says"] in red.stderr


def test_sql_block_is_printed_whole(cli: Cli) -> None:
    done = cli("supabase-sql")
    assert_has(done, exit_code=0, stdout=schema_sql() + "\n")
