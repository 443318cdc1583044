"""Approval of a server of a company's own, as pages."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from synkro.models import Tenant
from synkro.services.connections import checks, hosts, integrations
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support.having import assert_has
from tests.support.web_client import Enter

KEYS = {"publishable_key": "sb_publishable_x", "secret_key": "sb_secret_x"}


@pytest.fixture
def refused(tenant: Tenant) -> Tenant:
    with tenant_scope(tenant.id):
        integrations.save("supabase", {"url": "db.example.kz/rest/v1", **KEYS})
        checks.run("supabase")
    return tenant


def test_the_page_offers_to_ask_and_then_says_that_it_was_asked(enter: Enter, refused: Tenant) -> None:
    person = enter("settings")
    before = person.get("/settings/supabase").text
    answer = person.send("/settings/supabase/host")
    after = person.get("/settings/supabase").text
    assert "Ask for approval" in before
    assert "would go to db.example.kz." in before
    assert_has(answer, status_code=303, location="/settings/supabase#state")
    assert "Ask for approval" not in after
    assert "The approval was asked for" in after


def test_only_the_host_of_the_saved_address_can_be_asked_for(enter: Enter, refused: Tenant) -> None:
    person = enter("settings")
    assert person.send("/settings/supabase/host", host="evil.test:443", tenant_id="x").status_code == 422
    assert hosts.waiting(refused.id) == []
    person.send("/settings/supabase/host")
    assert [one.host for one in hosts.waiting(refused.id)] == ["db.example.kz:443"]


@pytest.mark.parametrize(("kind", "status"), [("supabase", 409), ("ai", 404), ("nothing", 404), ("%00", 404)])
def test_there_is_nothing_to_ask_for_without_a_refusal(enter: Enter, tenant: Tenant, kind: str, status: int) -> None:
    with tenant_scope(tenant.id):
        integrations.save("supabase", {"url": "https://db.example.kz", **KEYS})
    assert enter("settings").send(f"/settings/{kind}/host").status_code == status
    assert hosts.waiting(tenant.id) == []


def test_what_was_typed_is_shown_as_it_is_understood(enter: Enter, tenant: Tenant) -> None:
    person = enter("settings")
    person.send("/settings/supabase", url=" https://supabase.com/dashboard/project/abcdefghijklmnopqrst/sql ", **KEYS)
    assert 'value="https://abcdefghijklmnopqrst.supabase.co"' in person.get("/settings/supabase").text


def test_a_pasted_password_is_not_kept(enter: Enter, tenant: Tenant) -> None:
    person = enter("settings")
    person.send("/settings/supabase", url="https://me:hunter2@db.example.kz", **KEYS)
    with tenant_scope(tenant.id):
        config = integrations.find("supabase")
    assert config is not None
    assert config.settings == {"url": "https://db.example.kz"}


def test_a_chief_approves_and_the_connection_is_checked_again(enter: Enter, refused: Tenant) -> None:
    enter("settings").send("/settings/supabase/host")
    chief, asked = enter("admin"), hosts.waiting(refused.id)[0]
    page = chief.get(f"/admin/companies/{refused.id}").text
    answer = chief.send(f"/admin/companies/{refused.id}/hosts/{asked.id}/approve")
    assert f"/hosts/{asked.id}/approve" in page
    assert_has(answer, status_code=303, location=f"/admin/companies/{refused.id}#hosts")
    with tenant_scope(refused.id):
        config = integrations.find("supabase")
        assert hosts.approved("supabase") == {"db.example.kz:443"}
    assert config is not None
    assert config.check_requested_at is not None


def test_a_chief_takes_it_back(enter: Enter, refused: Tenant) -> None:
    enter("settings").send("/settings/supabase/host")
    chief, asked = enter("admin"), hosts.waiting(refused.id)[0]
    chief.send(f"/admin/companies/{refused.id}/hosts/{asked.id}/approve")
    answer = chief.send(f"/admin/companies/{refused.id}/hosts/{asked.id}/withdraw")
    assert answer.status_code == 303
    assert hosts.waiting(refused.id) == []
    assert "db.example.kz" not in chief.get(f"/admin/companies/{refused.id}").text


def test_staff_of_the_lower_rank_do_not_see_hosts(enter: Enter, refused: Tenant) -> None:
    enter("settings").send("/settings/supabase/host")
    assert "db.example.kz" not in enter("lite").get(f"/admin/companies/{refused.id}").text


@pytest.mark.parametrize("act", ["approve", "withdraw"])
def test_a_password_of_long_ago_is_asked_for_anew(enter: Enter, refused: Tenant, act: str) -> None:
    enter("settings").send("/settings/supabase/host")
    chief, asked = enter("admin"), hosts.waiting(refused.id)[0]
    with system_scope("test: sessions"):
        db.session.execute(text("update sessions set confirmed_at = now() - interval '1 hour'"))
        db.session.commit()
    answer = chief.send(f"/admin/companies/{refused.id}/hosts/{asked.id}/{act}")
    assert answer.location.startswith("/confirm?what=password")
    assert hosts.waiting(refused.id) == [asked]
