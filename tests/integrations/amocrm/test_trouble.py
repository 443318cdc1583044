"""amoCRM when it is slow, closes doors early or answers oddly: renewal, smaller portions, rests, links."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from flask import Flask, request
from flask.typing import ResponseReturnValue

from synkro.integrations.amocrm.client import Amocrm, LeadPage
from synkro.integrations.amocrm.oauth import App, authorize_url, exchange, refresh
from synkro.integrations.amocrm.rules import Address, TooMuch
from synkro.integrations.errors import ApiError, Nonsense, Refused
from synkro.sandbox.amocrm.app import create_app
from synkro.sandbox.world import World
from tests.support.amocrm_reading import END, START, all_leads, asked, expected
from tests.support.emulators import ConnectAmocrm, Counted, Emulator, Start, client_to, company

# A token that the vendor ends before its time


@pytest.fixture
def emulator(start: Start, world: World) -> Emulator:
    running = start(create_app(world))
    running.set(rps=0, account_rps=0)
    return running


class Owner:
    """Has a pair, and makes a new one of it when asked."""

    def __init__(self, emulator: Emulator, world: World) -> None:
        own = world.integration
        self.http_client = client_to(Counted(), amocrm=emulator, amocrm_oauth=emulator)
        self._app = App(own.client_id, own.client_secret, own.redirect_uri)
        self._home = Address(world.subdomain, "amocrm.ru")
        page = authorize_url(own.client_id, "state", "amocrm.ru", self.http_client)
        answer = requests.get(page, allow_redirects=False, timeout=60)
        code = answer.headers["Location"].split("code=")[1].split("&")[0]
        self._pair = exchange(self.http_client, self._app, self._home, code)
        self.renewed: list[str] = []

    @property
    def settings(self) -> dict[str, str]:
        return {"subdomain": self._home.subdomain, "access_token": self._pair.access_token}

    def renew(self, refused: str) -> dict[str, str]:
        self.renewed.append(refused)
        self._pair = refresh(self.http_client, self._app, self._home, self._pair.refresh_token)
        return self.settings


@pytest.fixture
def owner(emulator: Emulator, world: World) -> Owner:
    return Owner(emulator, world)


def test_a_token_ended_by_the_vendor_is_renewed_and_the_call_repeated(
    owner: Owner, emulator: Emulator, world: World
) -> None:
    first = owner.settings["access_token"]
    amocrm = Amocrm(owner.settings, owner.http_client, owner.renew)
    emulator.fault("expire_token")
    assert sorted(lead.id for lead in all_leads(amocrm)) == expected(world)
    assert owner.renewed == [first]


def test_a_second_refusal_is_the_end(owner: Owner, emulator: Emulator) -> None:
    amocrm = Amocrm(owner.settings, owner.http_client, owner.renew)
    emulator.forget()
    emulator.fault("expire_token", times=-1)
    with pytest.raises(Refused, match="amocrm_reconnect"):
        amocrm.account()
    assert len(owner.renewed) == 1
    assert len(asked(emulator, "/account")) == 2


def test_a_renewal_that_is_refused_is_told(owner: Owner, emulator: Emulator) -> None:
    amocrm = Amocrm(owner.settings, owner.http_client, owner.renew)
    emulator.set(revoked=True)
    with pytest.raises(Refused, match="amocrm_reconnect"):
        amocrm.check()
    assert len(asked(emulator, "/account")) == 1


@pytest.mark.parametrize("code", ["unpaid", "no_rights"])
def test_other_refusals_renew_nothing(owner: Owner, emulator: Emulator, code: str) -> None:
    emulator.set(**({"paid": False} if code == "unpaid" else {"token_rights": "none"}))
    with pytest.raises(ApiError, match=f"amocrm_{code}"):
        Amocrm(owner.settings, owner.http_client, owner.renew).account()
    assert owner.renewed == []


def test_a_long_lived_token_cannot_be_renewed(owner: Owner) -> None:
    amocrm = Amocrm({**owner.settings, "token": "no-such-token"}, owner.http_client, owner.renew)
    with pytest.raises(Refused, match="amocrm_reconnect"):
        amocrm.account()
    assert owner.renewed == []


# An account that can put only little together


@pytest.mark.parametrize("bound", [40, 20, 1])
def test_contacts_too_many_at_once_are_asked_for_in_smaller_batches(
    bound: int, connect_amocrm: ConnectAmocrm, world: World
) -> None:
    amocrm, _ = connect_amocrm(company(world, 70), slow_above_limit=bound)
    assert [contact.id for contact in amocrm.contacts(range(5000, 5070))] == list(range(5000, 5070))


def test_a_batch_that_was_too_much_is_not_asked_for_again(connect_amocrm: ConnectAmocrm, world: World) -> None:
    amocrm, emulator = connect_amocrm(company(world, 100), slow_above_limit=25)
    amocrm.contacts(range(5000, 5050))
    amocrm.contacts(range(5050, 5100))
    assert [query["limit"] for query in asked(emulator, "/contacts")] == [["50"], *[["25"]] * 4]


def served(start: Start, path: str, view: Callable[[], ResponseReturnValue]) -> tuple[Amocrm, Emulator]:
    """amoCRM with this one page."""
    app = Flask("odd")
    app.add_url_rule(f"/api/v4{path}", view_func=view)
    emulator = start(app)
    return Amocrm({"subdomain": "demo", "token": "t"}, client_to(Counted(), amocrm=emulator)), emulator


def test_one_contact_that_is_too_much_is_told(start: Start) -> None:
    amocrm, _ = served(start, "/contacts", lambda: ("", 504))
    with pytest.raises(TooMuch):
        amocrm.contacts([1, 2, 3], filtered=True)


LISTS = {"users": Amocrm.managers, "loss_reasons": Amocrm.loss_reasons}


@pytest.mark.parametrize(("path", "name"), [("/users", "users"), ("/leads/loss_reasons", "loss_reasons")])
@pytest.mark.parametrize("bound", [125, 50])
def test_lists_too_long_at_once_are_asked_for_in_smaller_pages(bound: int, path: str, name: str, start: Start) -> None:
    rows = [{"id": n, "name": f"Row {n}"} for n in range(1, 301)]

    def page() -> ResponseReturnValue:
        limit, number = request.args.get("limit", 50, type=int), request.args.get("page", 1, type=int)
        some = rows[(number - 1) * limit : number * limit]
        if limit > bound:
            return "", 504
        return {"_embedded": {name: some}} if some else ("", 204)

    amocrm, _ = served(start, path, page)
    assert [getattr(one, "id", one) for one in LISTS[name](amocrm)] == list(range(1, 301))


# Rests


def resting(start: Start, zone: str, answer: ResponseReturnValue) -> list[tuple[str, float, str]]:
    """What rests are asked for when the account is met with this answer."""
    app, pacer = Flask("odd"), Counted()
    app.add_url_rule("/api/v4/account", view_func=lambda: answer)
    keys = {"subdomain": "demo", "zone": zone, "token": "t"}
    with pytest.raises(ApiError):
        Amocrm(keys, client_to(pacer, amocrm=start(app))).account()
    return pacer.rests


def test_an_account_that_asks_to_wait_is_left_alone_by_all(start: Start) -> None:
    asked_for = resting(start, "amocrm.ru", ({"retry_after": 300}, 429))
    assert asked_for == [("amocrm:demo.amocrm.ru", 300, "busy")]


def test_at_kommo_everybody_at_our_address_waits(start: Start) -> None:
    asked_for = resting(start, "kommo.com", ("<html>", 429))
    assert asked_for == [("amocrm:demo.kommo.com", 60, "busy"), ("amocrm:kommo.com", 60, "busy")]


def test_a_blocked_account_is_left_alone_and_no_other(start: Start) -> None:
    asked_for = resting(start, "kommo.com", ("<html>", 403))
    assert asked_for == [("amocrm:demo.kommo.com", 900, "amocrm_blocked")]


@pytest.mark.parametrize("answer", [({"title": "Forbidden"}, 403), ("", 401), ("", 402), ("", 500)])
def test_other_failures_ask_for_no_rest(answer: ResponseReturnValue, start: Start) -> None:
    assert resting(start, "amocrm.ru", answer) == []


# Links and rights


@pytest.mark.parametrize(
    "link", ["/api/v4/leads?page=2", "?page=2", "http://localhost:1/leads?page=2", "http://[::1]:1/leads?page=2"]
)
def test_a_next_link_that_leads_nowhere_else_is_taken(link: str, start: Start) -> None:
    page = leads_page_with(link, start)
    assert page.next_page == 2


@pytest.mark.parametrize("link", ["//evil.example.com/leads", "http://[half", "https://demo.amocrm.ru.evil.com/"])
def test_a_next_link_that_leads_away_is_refused(link: str, start: Start) -> None:
    with pytest.raises(Nonsense, match="amocrm_foreign_link"):
        leads_page_with(link, start)


def leads_page_with(link: str, start: Start) -> LeadPage:
    row = {"id": 1, "updated_at": int(START.timestamp()) + 5, "_embedded": {"contacts": []}}
    payload = {"_links": {"next": {"href": link}}, "_embedded": {"leads": [row]}}
    return served(start, "/leads", lambda: payload)[0].leads(START, END, filtered=True)


def test_reasons_that_a_token_may_not_read_are_a_notice(start: Start) -> None:
    amocrm, _ = served(start, "/leads/loss_reasons", lambda: ({"title": "Forbidden"}, 403))
    assert amocrm.loss_reasons() == {}
    assert amocrm.notices == {"amocrm_reasons_hidden"}


def test_reasons_of_a_blocked_account_are_no_notice(start: Start) -> None:
    amocrm, _ = served(start, "/leads/loss_reasons", lambda: ("<html>", 403))
    with pytest.raises(Refused, match="amocrm_blocked"):
        amocrm.loss_reasons()
