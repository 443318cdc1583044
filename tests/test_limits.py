"""How often one may ask: classes, counts, headers, and whose address is counted."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest
import requests
from flask import Flask
from redis import Redis
from redis.exceptions import ConnectionError as RedisAway
from sqlalchemy import text
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.serving import make_server

from synkro import access, limits
from synkro.limits import AI_OF_A_COMPANY, PER_MINUTE, limiter
from synkro.models import Tenant, User
from synkro.tenancy import db, system_scope
from tests.conftest import PASSWORD
from tests.web.conftest import Browser, Enter
from tests.web.conftest import client as client  # noqa: PLC0414 (the fixtures of the web tests)
from tests.web.conftest import enter as enter  # noqa: PLC0414
from tests.web.rows import make_run

JSON = {"Accept": "application/json"}
NOT_API = {
    "account.change_password": "auth",
    "amocrm.disabled": "webhook",
    "auth.confirm": "auth",
    "auth.sign_in": "auth",
    "company_settings.state": "poll",
    "health.now": "poll",
    "rq_dashboard.favicon": "static",
    "rq_dashboard.job_info": "poll",
    "rq_dashboard.list_jobs": "poll",
    "rq_dashboard.list_queues": "poll",
    "rq_dashboard.list_workers": "poll",
    "rq_dashboard.static": "static",
    "runs.create": "ai",
    "runs.resume": "ai",
    "runs.send_again": "ai",
    "runs.steps": "poll",
    "second_factor.ask": "auth",
    "second_factor.enrol": "auth",
    "second_factor.new_codes": "auth",
    "second_factor.switch_off": "auth",
    "settings.state": "poll",
    "settings.try_out": "ai",
    "static": "static",
    "welcome.accept": "auth",
    "welcome.forgot": "auth",
    "welcome.reset": "auth",
}
"""Written by hand: every other route counts as a usual one."""


def counted_at(store: Redis) -> list[str]:
    """The keys of the limiter: LIMITS:LIMITER/<class>|<who>/<scope>/<limit>."""
    return sorted(key.decode().split("/")[1] for key in store.keys("LIMITS*"))  # type: ignore[union-attr]


def ask(browser: Browser, path: str, times: int) -> Counter[int]:
    return Counter(browser.get(path).status_code for _ in range(times))


# ---- classes


def test_every_route_belongs_to_a_class(app: Flask) -> None:
    rules = {name: getattr(view, "access", None) for name, view in app.view_functions.items()}
    assert [name for name, rule in rules.items() if rule is None or rule.limit not in PER_MINUTE] == []


def test_classes_are_the_ones_written_down(app: Flask) -> None:
    found = {name: view.access.limit for name, view in app.view_functions.items()}  # type: ignore[attr-defined]
    assert {name: limit for name, limit in found.items() if limit != "api"} == NOT_API


def test_promised_numbers() -> None:
    assert {name: PER_MINUTE[name] for name in ("auth", "api", "webhook", "ai")} == {
        "auth": 5,
        "api": 100,
        "webhook": 50,
        "ai": 20,
    }


def test_one_used_up_class_leaves_the_others(enter: Enter, tenant: Tenant) -> None:
    user, run = enter("user"), make_run(tenant)
    assert ask(user, "/reports", 101) == {200: 100, 429: 1}
    assert user.get(f"/runs/{run}/steps").status_code == 200
    with user.get("/static/favicon.svg") as file:
        assert file.status_code == 200


def test_poll_of_a_page_fits_its_own_class(enter: Enter, tenant: Tenant) -> None:
    user, run = enter("user"), make_run(tenant)
    assert ask(user, f"/runs/{run}/steps", 121) == {200: 120, 429: 1}


def test_actions_of_the_ai_are_twenty_a_minute(enter: Enter) -> None:
    user = enter("user")
    token = user.token()
    got = [user.post("/dashboard/run", data={"csrf_token": token, "span": "?"}).status_code for _ in range(21)]
    assert got == [422] * 20 + [429]


def test_a_company_shares_a_limit_of_the_ai(enter: Enter, tenant: Tenant, cast: dict[str, User]) -> None:
    with db.session.begin_nested():
        mates = [User(role="user", tenant_id=tenant.id, email=f"{n}@example.com", name="Mate") for n in range(4)]
        db.session.add_all(mates)
    db.session.commit()
    cast.update({str(n): mate for n, mate in enumerate(mates)})
    got: Counter[int] = Counter()
    for n in range(4):
        mate = enter(str(n))
        token = mate.token()
        got.update(mate.post("/dashboard/run", data={"csrf_token": token, "span": "?"}).status_code for _ in range(16))
    assert got == {422: AI_OF_A_COMPANY, 429: 64 - AI_OF_A_COMPANY}
    assert enter("other").send("/dashboard/run", span="?").status_code == 422


def test_what_does_not_exist_is_counted_too(client: Browser) -> None:
    assert ask(client, "/no-such-page", 101) == {404: 100, 429: 1}


def test_posts_without_a_token_are_counted_too(client: Browser) -> None:
    assert Counter(client.post("/logout").status_code for _ in range(101)) == {400: 100, 429: 1}


def test_files_are_counted_by_address(enter: Enter, store: Redis) -> None:
    enter("user").get("/static/favicon.svg").close()
    assert counted_at(store) == ["static|192.0.2.1"]


def test_a_file_does_not_look_its_reader_up(enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(limits, "sitting", lambda: asked.append(1))
    enter("user").get("/static/favicon.svg").close()
    assert asked == []


# ---- counts


def test_two_hundred_at_once_give_exactly_a_hundred(app: Flask, enter: Enter, store: Redis) -> None:
    """B-04: a real server with threads, one person, Valkey counts."""
    user = enter("user")
    cookie = user.get_cookie("session")
    assert cookie is not None
    server = make_server("127.0.0.1", 0, app, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.port}/preferences/theme"

    def once(_n: int) -> int:
        answer = requests.get(url, cookies={"session": cookie.value}, headers=JSON, timeout=120)
        answer.close()
        return answer.status_code

    try:
        with ThreadPoolExecutor(32) as pool:
            got = Counter(pool.map(once, range(200)))
    finally:
        server.shutdown()
        server.server_close()
    assert got == {405: 100, 429: 100}


def test_window_moves_on(enter: Enter, store: Redis) -> None:
    """The times of the requests lie in Valkey: the test moves them back instead of waiting."""
    user = enter("user")
    ask(user, "/reports", 100)
    assert user.get("/reports").status_code == 429
    (key,) = store.keys("LIMITS*api*")  # type: ignore[misc]
    assert 0 < store.ttl(key) <= 60  # type: ignore[operator]
    times = [float(one) for one in store.lrange(key, 0, -1)]  # type: ignore[union-attr]
    store.delete(key)
    store.rpush(key, *(one - 61 for one in times[:50]), *(one - 62 for one in times[50:]))
    assert ask(user, "/reports", 101) == {200: 100, 429: 1}


def test_refused_ones_do_not_prolong_the_wait(enter: Enter, store: Redis) -> None:
    user = enter("user")
    ask(user, "/reports", 130)
    (key,) = store.keys("LIMITS*api*")  # type: ignore[misc]
    assert store.llen(key) == 100


def test_people_behind_one_address_have_their_own_limits(enter: Enter, store: Redis) -> None:
    user, mate = enter("user"), enter("settings")
    mate.environ_base["REMOTE_ADDR"] = user.environ_base["REMOTE_ADDR"]
    ask(user, "/reports", 101)
    assert mate.get("/reports").status_code == 200


def test_one_person_in_two_browsers_has_one_limit(enter: Enter) -> None:
    ask(enter("user"), "/reports", 100)
    assert enter("user").get("/reports").status_code == 429


# ---- what is told


def test_success_tells_what_is_left(enter: Enter) -> None:
    user = enter("user")
    first, second = user.get("/reports"), user.get("/reports")
    assert first.headers["X-RateLimit-Limit"] == "100"
    assert [int(one.headers["X-RateLimit-Remaining"]) for one in (first, second)] == [99, 98]
    assert 0 <= int(second.headers["X-RateLimit-Reset"]) - time.time() <= 61
    assert "Retry-After" not in second.headers


def test_failed_sign_in_tells_what_is_left(client: Browser, cast: dict[str, User]) -> None:
    answer = client.send("/login", email="user@example.com", password="wrong")
    told = (answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"])
    assert told == ("5", "4")


def test_refusal_is_a_page_that_says_how_long(enter: Enter) -> None:
    user = enter("user")
    ask(user, "/reports", 100)
    page = user.get("/reports")
    seconds = page.headers["Retry-After"]
    assert (page.status_code, page.mimetype) == (429, "text/html")
    assert 1 <= int(seconds) <= 60
    assert f"Wait {seconds} seconds" in page.text
    assert (page.headers["X-RateLimit-Limit"], page.headers["X-RateLimit-Remaining"]) == ("100", "0")
    assert "Content-Security-Policy" in page.headers


def test_refusal_is_json_for_programs(enter: Enter) -> None:
    user = enter("user")
    ask(user, "/reports", 100)
    answer = user.get("/reports", headers=JSON)
    body = answer.get_json()
    assert set(body) == {"error", "code", "retry_after"}
    assert body["code"] == "too_many_requests"
    assert str(body["retry_after"]) == answer.headers["Retry-After"]


def test_person_who_may_not_enter_is_counted_before_the_gate(client: Browser) -> None:
    assert ask(client, "/admin", 101) == {302: 100, 429: 1}


# ---- nobody is locked out by a stranger


def sign_in(browser: Browser, email: str = "user@example.com", password: str = PASSWORD) -> int:
    return browser.send("/login", email=email, password=password).status_code


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


def test_the_audit_takes_no_more_tampering_than_the_limit_lets_through(enter: Enter, store: Redis) -> None:
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


# ---- Redis away


@pytest.fixture
def _no_redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As it answers to the limiter alone: nothing listens at its address."""

    def away(*_args: object, **_more: object) -> None:
        raise RedisAway("nobody there")

    storage = limiter._storage
    limiter._storage_dead = False
    for name in ("acquire_entry", "get_moving_window"):
        monkeypatch.setattr(storage, name, away)
    monkeypatch.setattr(storage, "check", lambda: False)
    yield
    limiter._storage_dead = False
    limiter._fallback_limiter.storage.reset()  # type: ignore[union-attr]


@pytest.mark.usefixtures("_no_redis")
def test_without_redis_the_limit_holds_in_this_process(client: Browser) -> None:
    assert ask(client, "/login", 101) == {200: 100, 429: 1}


@pytest.mark.usefixtures("_no_redis")
def test_without_redis_a_refusal_still_says_how_long(client: Browser) -> None:
    ask(client, "/login", 100)
    answer = client.get("/login", headers=JSON)
    assert 1 <= answer.get_json()["retry_after"] <= 60


def test_redis_that_goes_away_between_question_and_count_breaks_nothing(
    client: Browser, cast: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = client.token()

    def away(*_args: object, **_more: object) -> bool:
        raise RedisAway("gone")

    monkeypatch.setattr(limiter._limiter, "hit", away)
    monkeypatch.setattr(limiter._limiter, "get_window_stats", away)
    answer = client.post("/login", data={"csrf_token": token, "email": "user@example.com", "password": "wrong"})
    assert answer.status_code == 401


# ---- whose address


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


def test_class_of_a_view_without_a_rule_is_the_usual_one(app: Flask) -> None:
    with app.test_request_context(f"/{uuid.uuid4()}"):
        assert access.rule_of("") is None
        assert limits.class_of_request() == "api"
