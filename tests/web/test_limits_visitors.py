"""Whose tries are counted: people with and without a known browser, and addresses that are forged."""

from __future__ import annotations

from collections import Counter

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import text
from werkzeug.middleware.proxy_fix import ProxyFix

from synkro.models import User
from synkro.tenancy import db, system_scope
from tests.conftest import PASSWORD
from tests.support.limits import ask, counted_at, sign_in
from tests.support.web_client import Browser, Enter


def posted(browser: Browser, times: int, site: str = "") -> Counter[int]:
    """What a page of somebody else makes the browsers of an office send."""
    headers = {"Sec-Fetch-Site": site} if site else {}
    return Counter(browser.post("/login", headers=headers).status_code for _ in range(times))


def test_what_other_sites_send_uses_no_limit_up(client: Browser, cast: dict[str, User], store: Redis) -> None:
    assert posted(client, 150, "cross-site") == {403: 150}
    assert store.keys("LIMITS*") == []
    assert sign_in(client) == 303


def test_posts_without_a_token_are_no_tries(client: Browser, cast: dict[str, User]) -> None:
    assert posted(client, 20) == {400: 20}
    assert sign_in(client) == 303


def test_what_is_no_form_is_no_try(client: Browser, cast: dict[str, User]) -> None:
    assert [client.post("/login", json={}).status_code for _ in range(6)] == [415] * 6
    assert sign_in(client) == 303


def test_posts_without_a_token_count_with_the_usual_ones(client: Browser, store: Redis) -> None:
    assert posted(client, 99) == {400: 99}
    assert ask(client, "/login", 2) == {200: 1, 429: 1}
    assert posted(client, 1) == {429: 1}


def test_a_form_with_a_gap_counts_with_the_usual_ones(client: Browser, store: Redis) -> None:
    token = client.token()
    store.flushdb()
    form = {"csrf_token": token, "email": "user@example.com", "role": "x"}
    assert Counter(client.post("/login", data=form).status_code for _ in range(150)) == {422: 100, 429: 50}


def test_what_leads_on_counts_with_the_usual_ones(enter: Enter, store: Redis) -> None:
    user = enter("user")
    token = user.token()
    store.flushdb()
    got = Counter(user.post("/login", data={"csrf_token": token}).status_code for _ in range(101))
    assert got == {302: 100, 429: 1}


def test_the_audit_takes_only_the_tampering_that_the_limit_lets_by(enter: Enter, store: Redis) -> None:
    user = enter("user")
    token = user.token()
    store.flushdb()
    for _ in range(110):
        user.post("/confirm?what=password", data={"csrf_token": token, "password": "x", "role": "x"})
    with system_scope("test: look at the audit log"):
        noted = db.session.execute(text("select count(*) from audit_log where act = 'form_tampered'")).scalar_one()
    assert noted == 100


def test_tries_do_not_count_with_the_usual_ones(client: Browser, cast: dict[str, User], store: Redis) -> None:
    token = client.token()
    store.flushdb()
    client.post("/login", data={"csrf_token": token, "email": "user@example.com", "password": "wrong"})
    assert counted_at(store) == ["auth|127.0.0.1"]


def test_a_known_browser_has_counts_of_its_own(app: Flask, client: Browser, cast: dict[str, User]) -> None:
    assert sign_in(client) == 303
    client.send("/logout")
    stranger = Browser(app, app.response_class)
    assert [sign_in(stranger, password="wrong", email=f"{n}@example.com") for n in range(6)] == [401] * 5 + [429]
    ask(stranger, "/login", 100)
    assert sign_in(client) == 303


def test_a_known_browser_has_a_limit_too(client: Browser, cast: dict[str, User]) -> None:
    assert sign_in(client) == 303
    client.send("/logout")
    got = [sign_in(client, password="wrong", email=f"{n}@example.com") for n in range(6)]
    assert got == [401] * 5 + [429]


@pytest.mark.parametrize("cookie", ["x", "WyJkZXZpY2UiXQ.aaaaaa.bbbbbbbbbbbb"])
def test_a_forged_device_is_counted_by_its_address(client: Browser, store: Redis, cookie: str) -> None:
    client.set_cookie("device", cookie)
    client.get("/login")
    assert counted_at(store) == ["api|127.0.0.1"]


def through(app: Flask, hops: int, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = app.wsgi_app
    while isinstance(inner, ProxyFix):
        inner = inner.app
    monkeypatch.setattr(app, "wsgi_app", ProxyFix(inner, x_for=hops, x_proto=hops, x_host=hops))


@pytest.mark.parametrize(
    ("hops", "forwarded", "counted"),
    [
        (0, "203.0.113.9", "192.0.2.7"),
        (0, "203.0.113.9, 203.0.113.10", "192.0.2.7"),
        (1, "198.51.100.4", "198.51.100.4"),
        (1, "203.0.113.9, 198.51.100.4", "198.51.100.4"),
        (1, "127.0.0.1,,203.0.113.9,198.51.100.4", "198.51.100.4"),
        (1, "", "192.0.2.7"),
        (2, "203.0.113.9, 198.51.100.4, 192.0.2.200", "198.51.100.4"),
    ],
)
def test_forged_address_changes_nothing(
    app: Flask,
    client: Browser,
    cast: dict[str, User],
    store: Redis,
    monkeypatch: pytest.MonkeyPatch,
    hops: int,
    forwarded: str,
    counted: str,
) -> None:
    """The rightmost entries are our proxies' own; what stands before them was written by the visitor."""
    through(app, hops, monkeypatch)
    client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    headers = {"X-Forwarded-For": forwarded, "X-Real-IP": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    token = client.token()
    store.flushdb()
    client.post(
        "/login", data={"csrf_token": token, "email": "user@example.com", "password": PASSWORD}, headers=headers
    )
    client.get("/login", headers=headers)
    assert {key.split("|")[1] for key in counted_at(store) if key.startswith(("api", "auth"))} <= {counted, *ids(cast)}
    with system_scope("test: look at the audit log"):
        addresses = set(db.session.execute(text("select address from audit_log where act like 'signed_in'")).scalars())
    assert addresses == {counted}


def ids(cast: dict[str, User]) -> set[str]:
    return {str(person.id) for person in cast.values()}


@pytest.mark.parametrize("hops", [0, 1])
def test_a_changing_forged_address_is_one_visitor(
    app: Flask, client: Browser, monkeypatch: pytest.MonkeyPatch, hops: int
) -> None:
    through(app, hops, monkeypatch)
    got: Counter[int] = Counter()
    for n in range(101):
        forged = {"X-Forwarded-For": f"203.0.113.{n}" + ", 198.51.100.4" * hops}
        got.update([client.get("/no-such-page", headers=forged).status_code])
    assert got == {404: 100, 429: 1}
