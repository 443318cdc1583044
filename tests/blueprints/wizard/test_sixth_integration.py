"""A service is added with one class, one guide and one emulator; page, masking, status, audit and rights come along."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from flask import Flask
from jinja2 import ChoiceLoader, DictLoader
from sqlalchemy import select

from synkro import embedded
from synkro.cli import integrations as commands
from synkro.crypto import Vault
from synkro.extensions import redis, remember, settings, vault
from synkro.infra import clock, queue
from synkro.integrations import INTEGRATIONS
from synkro.jobs.engine.worker import work_on
from synkro.models import AuditLog, IntegrationConfig, Tenant, User
from synkro.sandbox.server import Server
from synkro.services.connections import checks, hosts, integrations, setup
from synkro.services.connections.integrations import find
from synkro.services.connections.secrets import open_secrets
from synkro.services.operations import keys
from synkro.tenancy import db, system_scope, tenant_scope
from tests.cli.conftest import Cli
from tests.cli.conftest import cli as cli  # noqa: PLC0414
from tests.support.dummy_integration import GUIDE, KEY, PHONE, OwnParcels, Parcels, ParcelsToChooseFrom, emulator
from tests.support.having import assert_has
from tests.support.rotation import NEW, configure, quiet
from tests.support.web_client import Browser, Enter

PAGE = "/settings/parcels"
TYPED = {"depot": "North", "api_key": KEY}


@pytest.fixture(autouse=True)
def parcels(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The class is registered, its guide lies among the templates, and its emulator stands in for it."""
    monkeypatch.setitem(INTEGRATIONS, Parcels.kind, Parcels)
    guides = DictLoader({f"wizard/guides/{Parcels.kind}.html": GUIDE})
    monkeypatch.setattr(app.jinja_env, "loader", ChoiceLoader([app.jinja_env.loader, guides]))  # type: ignore[list-item]
    server = Server(emulator())
    stand_ins, opened = {Parcels.kind: server.url}, frozenset({server.url.removeprefix("http://")})
    remember(app, replace(settings(), stand_ins=stand_ins, outbound_allow_hosts=opened), vault(), redis())
    yield server
    server.stop()


def stored(tenant: Tenant) -> IntegrationConfig | None:
    with tenant_scope(tenant.id):
        return find(Parcels.kind)


def save(tenant: Tenant, **values: str) -> None:
    with tenant_scope(tenant.id):
        integrations.save(Parcels.kind, {**TYPED, **values}, actor="test")


def check(app: Flask, browser: Browser, path: str = PAGE) -> str:
    """The page after a worker has checked."""
    assert browser.send(f"{path}/check").status_code == 303
    work_on(app, queue.CHECKS, burst=True)
    return browser.get(path).text


def test_it_has_a_page_with_its_guide_and_its_form(enter: Enter) -> None:
    page = enter("settings").get(PAGE).text
    assert "press <b>New key</b> for Parcels" in page
    assert 'name="depot"' in page
    assert 'name="api_key"' in page


def test_it_is_the_sixth_step_and_the_schedule_the_seventh(enter: Enter, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        assert [(step.n, step.kind) for step in setup.steps()][5:] == [(6, "parcels"), (7, "automation")]
    browser = enter("settings")
    assert f'href="{PAGE}"' in browser.get("/settings").text
    assert "Step 6 of 7" in browser.get(PAGE).text


def test_what_is_typed_is_saved_and_the_secret_lies_sealed(enter: Enter, tenant: Tenant) -> None:
    assert enter("settings").send(PAGE, **TYPED).status_code == 303
    config = stored(tenant)
    assert config is not None
    assert config.settings == {"depot": "North"}
    assert config.secrets["api_key"].startswith("v1.")


def test_the_secret_never_comes_back(app: Flask, enter: Enter, tenant: Tenant) -> None:
    save(tenant)
    browser = enter("settings")
    for answer in (browser.get(PAGE), browser.send(PAGE, depot="North"), browser.get(f"{PAGE}/state")):
        assert KEY not in f"{answer.headers}{answer.text}"
    assert KEY not in check(app, browser)


def test_an_empty_field_keeps_the_secret(enter: Enter, tenant: Tenant) -> None:
    save(tenant)
    enter("settings").send(PAGE, depot="South", api_key="")
    with tenant_scope(tenant.id):
        config = find(Parcels.kind)
        assert config is not None
        assert {**config.settings, **open_secrets(config)} == {"depot": "South", "api_key": KEY}


def test_it_is_checked_in_the_worker(app: Flask, enter: Enter, tenant: Tenant) -> None:
    save(tenant)
    assert "Connected to the depot North." in check(app, enter("settings"))
    config = stored(tenant)
    assert config is not None
    assert_has(config, check_colour="green", check_code="parcels_ok")
    with tenant_scope(tenant.id):
        assert setup.steps()[5].state == "unproved"


def test_a_refusal_is_red_and_says_what_to_do(app: Flask, enter: Enter, tenant: Tenant) -> None:
    save(tenant, api_key="wrong")
    page = check(app, enter("settings"))
    assert "Parcels does not accept the key." in page
    assert "parcels_key_refused" in page
    with tenant_scope(tenant.id):
        assert setup.steps()[5].state == "broken"


def test_its_emulator_being_away_is_told_in_the_common_words(
    app: Flask, enter: Enter, tenant: Tenant, parcels: Server
) -> None:
    parcels.stop()
    save(tenant)
    assert "Parcels does not answer." in check(app, enter("settings"))


def test_an_address_that_nobody_opened_is_not_called(app: Flask, enter: Enter, tenant: Tenant) -> None:
    remember(app, replace(settings(), outbound_allow_hosts=frozenset()), vault(), redis())
    save(tenant)
    assert "This address is not allowed." in check(app, enter("settings"))


def test_staff_are_asked_for_a_server_of_ones_own(
    tenant: Tenant, cast: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(INTEGRATIONS, Parcels.kind, OwnParcels)
    with tenant_scope(tenant.id):
        integrations.save(Parcels.kind, {"server": "parcels.example.kz", "api_key": KEY}, actor="test")
        checks.run(Parcels.kind)
        assert hosts.ask(Parcels.kind, cast["settings"]) == "parcels.example.kz:443"


def test_a_choice_that_is_due_breaks_nothing(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(INTEGRATIONS, Parcels.kind, ParcelsToChooseFrom)
    save(tenant)
    with tenant_scope(tenant.id):
        checks.run(Parcels.kind)
        config = find(Parcels.kind)
        assert config is not None
        assert [one["title"] for one in config.offers["depot"]] == ["North", "South"]
        assert setup.steps()[5].state == "choice"


def test_real_items_are_shown_with_masked_phones(app: Flask, enter: Enter, tenant: Tenant) -> None:
    save(tenant)
    browser = enter("settings")
    check(app, browser)
    assert browser.send(f"{PAGE}/try/sample").status_code == 303
    work_on(app, queue.TRIALS, burst=True)
    page = browser.get(PAGE).text
    assert "Parcel for Aliya" in page
    assert "+7 701 ••• 45 67" in page
    assert "2026-11-19" in page
    assert PHONE not in page
    assert "87010000002" not in page


def test_saving_and_trying_out_stand_in_the_audit(app: Flask, enter: Enter, tenant: Tenant) -> None:
    browser = enter("settings")
    browser.send(PAGE, **TYPED)
    work_on(app, queue.CHECKS, burst=True)
    browser.send(f"{PAGE}/try/sample")
    with tenant_scope(tenant.id):
        rows = db.session.execute(select(AuditLog).where(AuditLog.object_id == Parcels.kind).order_by(AuditLog.seq))
        noted = [(row.act, row.actor, row.details) for row in rows.scalars()]
    assert noted == [
        ("integration_saved", "settings@example.com", {"fields": ["depot", "api_key"]}),
        ("tried_out", "settings@example.com", {"act": "sample"}),
    ]


@pytest.mark.parametrize(("name", "status"), [("nobody", 302), ("user", 403), ("lite", 403), ("admin", 403)])
def test_others_are_kept_out(enter: Enter, tenant: Tenant, name: str, status: int) -> None:
    save(tenant)
    browser = enter(name)
    answers = [
        browser.get(PAGE),
        browser.get(f"{PAGE}/state"),
        browser.send(PAGE, depot="South"),
        browser.send(f"{PAGE}/check"),
        browser.send(f"{PAGE}/try/sample"),
    ]
    assert {answer.status_code for answer in answers} == {status}
    config = stored(tenant)
    assert config is not None
    assert config.settings == {"depot": "North"}


def test_another_company_sees_nothing_of_it(enter: Enter, tenant: Tenant, other_tenant: Tenant) -> None:
    save(tenant, depot="Secret depot")
    with tenant_scope(other_tenant.id):
        assert find(Parcels.kind) is None
        assert setup.steps()[5].state == "empty"


def test_the_database_itself_holds_companies_apart(
    tenant: Tenant, other_tenant: Tenant, engines: embedded.Engines
) -> None:
    save(tenant)
    with psycopg.connect(engines.database_url.replace("+psycopg", "")) as connection:
        seen = []
        for owner in (tenant, other_tenant):
            connection.execute("select set_config('app.tenant_id', %s, true)", [str(owner.id)])
            row = connection.execute("select count(*) from integration_configs where kind = 'parcels'").fetchone()
            seen.append(row)
    assert seen == [(1,), (0,)]


def test_staff_help_with_it_and_stay_blind(app: Flask, enter: Enter, tenant: Tenant) -> None:
    save(tenant)
    browser, path = enter("admin"), f"/admin/companies/{tenant.id}/settings/parcels"
    page = check(app, browser, path)
    assert "Connected to the depot …." in page
    assert "North" not in page
    assert KEY not in page


def test_the_command_line_saves_and_checks_it(
    cli: Cli, app: Flask, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("integrations", "set", "alfa", "parcels", given=json.dumps(TYPED)).exit_code == 0
    real_wait = commands.checks.request

    def worked(kind: str) -> object:
        asked = real_wait(kind)
        work_on(app, queue.CHECKS, burst=True)
        return asked

    monkeypatch.setattr(commands.checks, "request", worked)
    done = cli("integrations", "check", "alfa", "parcels", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["code"] == "parcels_ok"


def test_its_secret_moves_to_a_new_key_of_the_installation(app: Flask, tenant: Tenant) -> None:
    save(tenant)
    old = settings().encryption_key
    configure(app, NEW, old)
    keys.rotate(quiet, actor="test")
    remember(app, settings(), Vault(NEW), redis())
    with tenant_scope(tenant.id):
        config = find(Parcels.kind)
        assert config is not None
        assert open_secrets(config) == {"api_key": KEY}


def test_it_is_looked_at_every_day(app: Flask, tenant: Tenant) -> None:
    save(tenant)
    with tenant_scope(tenant.id):
        checks.run(Parcels.kind)
    with system_scope("test: what is due"):
        assert checks.due() == []
        row = db.session.execute(select(IntegrationConfig)).scalar_one()
        row.checked_at = clock.now() - checks.AGAIN - checks.RED_AGAIN
        db.session.commit()
        assert checks.due() == [(tenant.id, Parcels.kind)]


def test_without_its_line_in_the_registry_there_is_no_such_service(
    enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(INTEGRATIONS, Parcels.kind)
    assert enter("settings").get(PAGE).status_code == 404
