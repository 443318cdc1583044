"""Every way in which amoCRM can fail while it is being connected ends in a colour, a code and a sentence."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from synkro.sandbox.amocrm.oauth import long_lived_token
from synkro.services.connections import amocrm_tokens, checks, integrations
from synkro.tenancy import tenant_scope
from tests.support.amocrm_oauth import first_pair, new_code
from tests.support.clocks import LATE_SECONDS
from tests.support.faults import Fault
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.seeing import assert_plain, seen

API, TOKENS = "/api/v4", "access_token"


def lasting(fault: str, path: str = API, **more: Any) -> dict[str, Any]:
    return {"fault": fault, "path": path, "times": -1, **more}


FAULTS: list[Fault] = [
    Fault("The server fails (500)", lasting("500"), "red", "server_error"),
    Fault("The web server before it fails (502, a page)", lasting("502_html"), "red", "server_error"),
    Fault("The server is in repair (503)", lasting("503"), "red", "server_error"),
    Fault("Too many requests, told in JSON", lasting("429"), "red", "busy"),
    Fault("Too many requests, told by a page", lasting("429_html"), "red", "busy"),
    Fault("The answer takes too long", lasting("slow", seconds=LATE_SECONDS), "red", "too_slow"),
    Fault("The connection is closed before the answer", lasting("drop"), "red", "unreachable"),
    Fault("The answer is lost", lasting("drop_after"), "red", "unreachable"),
    Fault("The answer is cut off", lasting("broken_json"), "red", "not_json"),
    Fault("A page comes instead of data", lasting("html"), "red", "not_json"),
    Fault("The answer is empty", lasting("empty"), "red", "not_json"),
    Fault("The answer is huge", lasting("huge"), "red", "too_large"),
    Fault(
        "The server cannot put the answer together (504)", {"set": {"slow_above_limit": 2}}, "red", "amocrm_too_much"
    ),
    Fault("The token is revoked or the integration off (401)", {"set": {"revoked": True}}, "red", "amocrm_reconnect"),
    Fault("The long-lived token has ended (401)", lasting("expire_token"), "red", "amocrm_reconnect"),
    Fault("The account is not paid for (402)", {"set": {"paid": False}}, "red", "amocrm_unpaid"),
    Fault("The token has no rights (403, JSON)", {"set": {"token_rights": "none"}}, "red", "amocrm_no_rights"),
    Fault("The account is blocked (403, a page)", {"set": {"rps": 1, "block_after_429": 1}}, "red", "amocrm_blocked"),
    Fault(
        "The link to the next page leads to a foreign host",
        {"set": {"last_page": "next_then_204", "foreign_next_link": "https://evil.example.com"}},
        "red",
        "amocrm_foreign_link",
    ),
    Fault(
        "The address is none of amoCRM's", {"settings": {"subdomain": "evil.example.com"}}, "red", "amocrm_bad_address"
    ),
    Fault("The token has letters that no token has", {"settings": {"token": "ключ"}}, "red", "key_malformed"),
    Fault("The filter add-on is off", {"set": {"filter_on": False}}, "green", "amocrm_ok"),
    Fault("The token is not an administrator's", {"set": {"token_rights": "own"}}, "green", "amocrm_ok"),
    Fault("The long-lived token ends in ten days", {"ends_in_days": 10}, "yellow", "amocrm_token_ends"),
    Fault("Deals come without their contacts", {"set": {"contacts_not_embedded": True}}, "green", "amocrm_ok"),
    Fault("A failure that passes (503, twice)", {"fault": "503", "path": API, "times": 2}, "green", "amocrm_ok"),
    Fault("The code is older than 20 minutes", {"from": "code", "fault": "expire_code"}, "red", "amocrm_code_expired"),
    Fault("The code is none", {"from": "code", "settings": {"code": "not a code"}}, "red", "amocrm_code_expired"),
    Fault("The account is found unpaid at the code", {"from": "code", "set": {"paid": False}}, "red", "amocrm_unpaid"),
    Fault(
        "The account is blocked, found at the code (403, a page)",
        {"from": "code", "set": {"rps": 1, "block_after_429": 1}},
        "red",
        "amocrm_blocked",
    ),
    Fault(
        "The answer to the code comes too late",
        {"from": "code", **lasting("slow", TOKENS, seconds=LATE_SECONDS)},
        "red",
        "too_slow",
    ),
    Fault("The code is of another account", {"from": "code", "fault": "wrong_account"}, "red", "amocrm_other_account"),
    Fault(
        "The redirect address differs",
        {"from": "code", "set": {"redirect_uri": "https://example.com/"}},
        "red",
        "amocrm_redirect_differs",
    ),
    Fault(
        "The secret key is wrong",
        {"from": "code", "settings": {"client_secret": "wrong"}},
        "red",
        "amocrm_client_refused",
    ),
    Fault("The server fails at the code (500)", {"from": "code", **lasting("500", TOKENS)}, "red", "server_error"),
    Fault("Too many requests at the code", {"from": "code", **lasting("429", TOKENS)}, "red", "busy"),
    Fault("A page comes instead of tokens", {"from": "code", **lasting("html", TOKENS)}, "red", "not_json"),
    Fault("The answer to the code is lost", {"from": "code", **lasting("drop_after", TOKENS)}, "red", "unreachable"),
    Fault("The integration was switched off", {"from": "pair", "set": {"revoked": True}}, "red", "amocrm_reconnect"),
    Fault(
        "The answer to a renewal is lost and the token spent",
        {"from": "pair", "fault": "drop_after", "path": TOKENS},
        "red",
        "amocrm_reconnect",
    ),
    Fault(
        "The answer to a renewal is lost and the token still good",
        {"from": "pair", "set": {"refresh_grace": "until_new_used"}, "fault": "drop_after", "path": TOKENS},
        "green",
        "amocrm_ok",
    ),
    Fault("The server fails at a renewal (500)", {"from": "pair", **lasting("500", TOKENS)}, "red", "server_error"),
    Fault("The vendor ended the access token", {"from": "pair", "fault": "expire_token"}, "green", "amocrm_ok"),
]
"""Met by the check, and in the same words by the acts and by a run.

Beside the orders: from (token, code, pair), how the account is connected; ends_in_days, of the token."""


pytestmark = pytest.mark.usefixtures("impatient", "standing")


def connect(practice: Practice, way: str) -> None:
    if way == "token":
        return
    practice.control("amocrm", set={"redirect_uri": amocrm_tokens.redirect_uri(practice.tenant.slug)})
    own = practice.world.integration
    keys = {"client_id": own.client_id, "client_secret": own.client_secret, "token": None}
    opens = {"code": new_code(practice)} if way == "code" else {**first_pair(practice), "expires_at": "5"}
    integrations.save("amocrm", {**keys, **opens}, actor="test")


def bring_about(practice: Practice, fault: Fault) -> None:
    connect(practice, fault.cause.get("from", "token"))
    if days := fault.cause.get("ends_in_days"):
        ends = int(time.time()) + days * 86_400
        practice.control("amocrm", set={"long_lived_ends": ends})
        integrations.save("amocrm", {"token": long_lived_token(practice.world, ends)}, actor="test")
    if fault.typed:
        integrations.save("amocrm", fault.typed, actor="test")
    if fault.order:
        practice.control("amocrm", **fault.order)
    if "block_after_429" in fault.cause.get("set", {}):
        for _ in range(3):
            requests.get(f"{practice.urls['amocrm']}/api/v4/account", timeout=60)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_check_tells_what_is_wrong(practice: Practice, fault: Fault) -> None:
    with tenant_scope(practice.tenant.id):
        bring_about(practice, fault)
    found = seen(practice, "amocrm")
    assert_has(found, colour=fault.colour, code=fault.code)
    assert_plain(found.sentence)


LASTING = [fault for fault in FAULTS if fault.code in ("server_error", "busy", "amocrm_reconnect", "amocrm_unpaid")]


@pytest.mark.parametrize("act", ["sample", "names"])
@pytest.mark.parametrize("fault", LASTING, ids=str)
def test_an_act_tells_the_same(practice: Practice, fault: Fault, act: str) -> None:
    with tenant_scope(practice.tenant.id):
        bring_about(practice, fault)
    found = seen(practice, "amocrm", act)
    assert_has(found, colour=fault.colour, code=fault.code)
    assert_plain(found.sentence)


def test_the_facts_of_the_account_are_kept_for_the_page(practice: Practice) -> None:
    practice.control("amocrm", set={"filter_on": False, "token_rights": "own"})
    with tenant_scope(practice.tenant.id):
        params = checks.run("amocrm").params
    found = {name: params[name] for name in ("account", "zone", "filter", "managers")}
    assert found == {
        "account": practice.world.company,
        "zone": practice.world.zone,
        "filter": False,
        "managers": False,
    }
