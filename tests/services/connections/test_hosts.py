"""Servers of a company's own: asked for once, agreed to by a chief alone, and never a way into a private network."""

from __future__ import annotations

import socket
import uuid

import pytest
from flask import Flask
from sqlalchemy import select

from synkro.errors import AppError
from synkro.integrations.own_host import own_host
from synkro.models import ApprovedHost, AuditLog, Tenant, User
from synkro.services.connections import checks, hosts, integrations
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support.emulators import Sockets, resolving_to
from tests.support.emulators import sockets as sockets  # noqa: PLC0414 (a fixture of theirs)
from tests.support.having import assert_has
from tests.support.runs_by_hand import at_once

KEYS = {"publishable_key": "sb_publishable_x", "secret_key": "sb_secret_x"}
OWN = "https://db.example.kz"


@pytest.fixture
def refused(tenant: Tenant, cast: dict[str, User]) -> Tenant:
    """A company that has typed in a server of its own, and had it checked."""
    connect(tenant, OWN)
    return tenant


def connect(tenant: Tenant, url: str) -> str:
    with tenant_scope(tenant.id):
        integrations.save("supabase", {"url": url, **KEYS})
        return checks.run("supabase").code


def ask(tenant: Tenant, by: User) -> hosts.Asked:
    with tenant_scope(tenant.id):
        hosts.ask("supabase", by)
    return hosts.waiting(tenant.id)[0]


def acts() -> list[tuple[str, dict[str, str]]]:
    with system_scope("test: look at the audit log"):
        rows = db.session.execute(select(AuditLog.act, AuditLog.details).order_by(AuditLog.id))
        return [(act, details) for act, details in rows if act.startswith("host_")]


def approved(tenant: Tenant, kind: str = "supabase") -> frozenset[str]:
    with tenant_scope(tenant.id):
        return hosts.approved(kind)


def test_a_request_waits_and_opens_nothing(refused: Tenant, cast: dict[str, User]) -> None:
    asked = ask(refused, cast["settings"])
    assert_has(asked, host="db.example.kz:443", asked_by="settings@example.com", approved_at=None)
    assert approved(refused) == frozenset()
    assert acts() == [("host_asked", {"host": "db.example.kz:443"})]


def test_asking_twice_is_asking_once(refused: Tenant, cast: dict[str, User]) -> None:
    first = ask(refused, cast["settings"])
    assert ask(refused, cast["settings"]) == first
    assert len(acts()) == 1


def test_many_who_ask_at_once_make_one_request(app: Flask, refused: Tenant, cast: dict[str, User]) -> None:
    by = cast["settings"]
    assert set(at_once(app, refused, 6, lambda _: hosts.ask("supabase", by))) == {"db.example.kz:443"}
    assert len(hosts.waiting(refused.id)) == 1
    assert len(acts()) == 1


def test_an_approval_opens_this_host_for_this_service_of_this_company(
    refused: Tenant, other_tenant: Tenant, cast: dict[str, User]
) -> None:
    hosts.approve(cast["admin"], refused.id, ask(refused, cast["settings"]).id)
    assert approved(refused) == {"db.example.kz:443"}
    assert approved(refused, "ai") == approved(other_tenant) == frozenset()
    assert connect(other_tenant, OWN) == "supabase_host_unapproved"


def test_an_approval_is_noted_once_with_who_gave_it(refused: Tenant, cast: dict[str, User]) -> None:
    asked = ask(refused, cast["settings"])
    for _ in range(2):
        assert hosts.approve(cast["admin"], refused.id, asked.id) == "supabase"
    with tenant_scope(refused.id):
        assert db.session.execute(select(ApprovedHost.approved_by)).scalar_one() == cast["admin"].id
    assert [act for act, _ in acts()] == ["host_asked", "host_approved"]


def test_taking_back_closes_the_host_and_people_may_ask_anew(refused: Tenant, cast: dict[str, User]) -> None:
    asked = ask(refused, cast["settings"])
    hosts.approve(cast["admin"], refused.id, asked.id)
    hosts.withdraw(cast["admin"], refused.id, asked.id)
    assert approved(refused) == frozenset()
    assert hosts.waiting(refused.id) == []
    assert ask(refused, cast["settings"]).id != asked.id
    assert [act for act, _ in acts()] == ["host_asked", "host_approved", "host_withdrawn", "host_asked"]


@pytest.mark.parametrize("decide", [hosts.approve, hosts.withdraw])
@pytest.mark.parametrize("name", ["lite", "settings"])
def test_nobody_else_decides(refused: Tenant, cast: dict[str, User], name: str, decide: object) -> None:
    asked = ask(refused, cast["settings"])
    with pytest.raises(AppError, match="not_allowed"):
        decide(cast[name], refused.id, asked.id)  # type: ignore[operator]
    assert hosts.waiting(refused.id) == [asked]


@pytest.mark.parametrize("decide", [hosts.approve, hosts.withdraw])
def test_a_request_of_another_company_is_not_there(
    refused: Tenant, other_tenant: Tenant, cast: dict[str, User], decide: object
) -> None:
    asked = ask(refused, cast["settings"])
    for tenant_id, host_id in ((other_tenant.id, asked.id), (refused.id, uuid.uuid4())):
        with pytest.raises(AppError) as caught:
            decide(cast["admin"], tenant_id, host_id)  # type: ignore[operator]
        assert caught.value.status == 404


@pytest.mark.parametrize("url", ["https://10.0.0.1", "https://xn--80ak6aa92e.com", "https://supabase.com", "nonsense"])
def test_what_nobody_may_agree_to_cannot_be_asked_for(tenant: Tenant, cast: dict[str, User], url: str) -> None:
    assert connect(tenant, url) == "supabase_url_form"
    with pytest.raises(AppError, match="no_host_to_approve"):
        ask(tenant, cast["settings"])


def test_a_service_that_was_not_refused_has_nothing_to_ask_for(tenant: Tenant, cast: dict[str, User]) -> None:
    with tenant_scope(tenant.id):
        integrations.save("supabase", {"url": OWN, **KEYS})
        with pytest.raises(AppError, match="no_host_to_approve"):
            hosts.ask("supabase", cast["settings"])
        with pytest.raises(AppError, match="nothing_saved"):
            hosts.ask("ai", cast["settings"])


def test_a_change_of_the_address_needs_an_approval_of_its_own(refused: Tenant, cast: dict[str, User]) -> None:
    hosts.approve(cast["admin"], refused.id, ask(refused, cast["settings"]).id)
    assert connect(refused, "https://db.example.kz.evil.test") == "supabase_host_unapproved"
    assert connect(refused, "https://db.example.kz:8443") == "supabase_host_unapproved"


@pytest.mark.parametrize("address", ["10.1.2.3", "127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1"])
def test_an_approved_name_into_a_private_network_is_refused(
    refused: Tenant, cast: dict[str, User], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    hosts.approve(cast["admin"], refused.id, ask(refused, cast["settings"]).id)
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to(address))
    with tenant_scope(refused.id):
        assert checks.run("supabase").code == "address_refused"


def test_an_approved_public_name_is_called_where_it_was_checked(
    refused: Tenant, cast: dict[str, User], monkeypatch: pytest.MonkeyPatch, sockets: Sockets
) -> None:
    hosts.approve(cast["admin"], refused.id, ask(refused, cast["settings"]).id)
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to("93.184.215.14"))
    with tenant_scope(refused.id):
        client = integrations.build("supabase")
        assert client.check  # built without a refusal
        with pytest.raises(Exception, match="supabase_no_answer"):
            client.check()
    assert ("93.184.215.14", 443) in sockets


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://llm.example.kz/v1", "llm.example.kz:443"),
        ("LLM.Example.kz", "llm.example.kz:443"),
        ("https://llm.example.kz:8443/v1", "llm.example.kz:8443"),
        ("http://llm.example.kz", None),
        ("https://llm.example.kz.", None),
        ("https://localhost", None),
        ("https://127.1", None),
        ("https://[::1]", None),
        ("https://user@llm.example.kz", None),
        ("https://llm.example.kz:port", None),
        ("https://llm.xn--e1afmkfd.kz", None),
        ("https://\u0430.example.kz", None),
        ("", None),
    ],
)
def test_only_plain_https_names_can_be_hosts_of_ones_own(text: str, host: str | None) -> None:
    assert own_host(text) == host
