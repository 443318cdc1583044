"""How often one may ask: classes, counts, headers, and whose address is counted."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Thread

import psycopg
import pytest
import requests
import time_machine
from flask import Flask
from redis import Redis
from redis.exceptions import ConnectionError as RedisAway
from sqlalchemy import event
from werkzeug.serving import make_server

from synkro import embedded
from synkro.blueprints.shared import probes
from synkro.extensions import remember, settings, vault
from synkro.models import Tenant, User
from synkro.tenancy import db
from synkro.web import access, limits
from synkro.web.limits import AI_OF_A_COMPANY, PER_MINUTE, limiter
from tests.conftest import redis_away
from tests.support.having import assert_has
from tests.support.limits import ask, counted_at
from tests.support.rows import make_run
from tests.support.web_client import (
    Browser,
    Enter,
)

JSON = {"Accept": "application/json"}
NOT_API = {
    "account.change_password": "auth",
    "amocrm.disabled": "webhook",
    "auth.confirm": "auth",
    "auth.sign_in": "auth",
    "company_settings.state": "poll",
    "health.now": "poll",
    "public.healthy": "probe",
    "public.ready": "probe",
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
    monkeypatch.setattr(limits, "current_session", lambda: asked.append(1))
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
    assert answer.headers["X-RateLimit-Limit"] == "5"
    assert answer.headers["X-RateLimit-Remaining"] == "4"


def test_refusal_is_a_page_that_says_how_long(enter: Enter) -> None:
    user = enter("user")
    ask(user, "/reports", 100)
    page = user.get("/reports")
    seconds = page.headers["Retry-After"]
    assert_has(page, status_code=429, mimetype="text/html")
    assert 1 <= int(seconds) <= 60
    assert f"Wait {seconds} seconds" in page.text
    assert page.headers["X-RateLimit-Limit"] == "100"
    assert page.headers["X-RateLimit-Remaining"] == "0"
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


def test_redis_lost_between_question_and_count_breaks_nothing(
    client: Browser, cast: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = client.token()

    def away(*_args: object, **_more: object) -> bool:
        raise RedisAway("gone")

    monkeypatch.setattr(limiter._limiter, "hit", away)
    monkeypatch.setattr(limiter._limiter, "get_window_stats", away)
    answer = client.post("/login", data={"csrf_token": token, "email": "user@example.com", "password": "wrong"})
    assert answer.status_code == 401


# ---- monitors


@pytest.fixture
def _used_up(client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a monitor may ask in a minute, and it has only just been told that all is well."""
    monkeypatch.setitem(PER_MINUTE, "probe", 1)
    monkeypatch.setattr(probes, "_last", {})
    client.get("/health")


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_a_monitor_may_ask_ten_times_a_second(client: Browser, path: str) -> None:
    assert ask(client, path, 110) == {200: 110}


def test_three_monitors_are_never_turned_away(client: Browser) -> None:
    begin, got = datetime.now(UTC), Counter[int]()
    for half in range(120):
        with time_machine.travel(begin + timedelta(seconds=half / 2), tick=False):
            got += ask(client, "/ready", 3)
    assert got == {200: 360}


def test_monitors_do_not_use_up_what_pages_have(client: Browser, store: Redis) -> None:
    client.get("/health")
    assert counted_at(store) == ["probe|127.0.0.1"]


@pytest.mark.usefixtures("_used_up")
@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_a_monitor_beyond_its_limit_is_turned_away(client: Browser, path: str) -> None:
    assert client.get(path).status_code == 429


@pytest.mark.usefixtures("_used_up")
def test_no_limit_hides_that_redis_is_away(app: Flask, client: Browser) -> None:
    remember(app, settings(), vault(), redis_away())
    assert client.get("/health").status_code == 503


@pytest.mark.usefixtures("_used_up")
def test_no_limit_hides_that_rights_are_wrong(client: Browser, engines: embedded.Engines) -> None:
    with psycopg.connect(engines.superuser_url, autocommit=True) as connection:
        connection.execute("alter role synkro_app bypassrls")
        try:
            assert client.get("/ready").status_code == 503
        finally:
            connection.execute("alter role synkro_app nobypassrls")


@pytest.mark.usefixtures("_used_up")
def test_trouble_of_a_second_ago_is_seen(app: Flask, client: Browser) -> None:
    client.get("/health")
    remember(app, settings(), vault(), redis_away())
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=1)):
        assert client.get("/health").status_code == 503


@pytest.mark.usefixtures("_used_up")
def test_beyond_the_limit_the_database_is_asked_once_a_second(client: Browser) -> None:
    asked = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    with time_machine.travel(datetime.now(UTC), tick=False):
        ask(client, "/health", 50)
    event.remove(db.engine, "before_cursor_execute", note)
    assert asked.count("select 1") == 1


# ---- whose address


def test_class_of_a_view_without_a_rule_is_the_usual_one(app: Flask) -> None:
    with app.test_request_context(f"/{uuid.uuid4()}"):
        assert access.rule_of("") is None
        assert limits.class_of_request() == "api"
