"""Canaries: secrets and a client that nobody else has, walked through the whole product and then looked for.

A secret may be with the vendor that gave it, sealed in the database, and nowhere else. What a client wrote may be with
the vendors it came from, in the company's own Supabase, before the company's own people, and sealed in the database.
"""

from __future__ import annotations

import logging
import sys
import zlib
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from synkro import embedded
from synkro.infra.pace import RedisPacer
from synkro.models import Tenant, User
from synkro.models.states import RunStatus
from synkro.sandbox.server import Sandbox
from synkro.sandbox.world import World
from tests.support import canary
from tests.support.canary_walk import VENDORS, Ears, Walk, Walker
from tests.support.practice import Practice

PLACES = ("pages", "command line", "logs", "exceptions", "database", "redis", "files", "screen")
_made: list[Walk] = []


@pytest.fixture
def walk(
    app: Flask,
    engines: embedded.Engines,
    var_dir: Path,
    world: World,
    tenant: Tenant,
    cast: dict[str, User],
    sign_in: Callable[..., FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Walk:
    """Made once for all tests here."""
    if _made:
        return _made[0]
    monkeypatch.setattr(RedisPacer, "wait", lambda *_: None)
    monkeypatch.setattr("random.uniform", lambda *_: 0.0)  # tries follow at once
    client = canary.new_client()
    yesterday = Practice(app, tenant, world, {}).yesterday
    planted = canary.with_client(canary.with_new_keys(world), client, yesterday)
    walk = Walk(planted, client, f"right {canary.letters(20)}", f"wrong {canary.letters(20)}")
    ears, root, sandbox = Ears(), logging.getLogger(), Sandbox(planted)
    level = root.level
    root.addHandler(ears)
    root.setLevel(logging.DEBUG)
    try:
        walk.vendors = canary.record(sandbox)
        walker = Walker(Practice(app, tenant, planted, sandbox.urls).connect(), walk, engines)
        walker.commands()
        walker.checks()
        walker.runs()
        walker.pages(cast, sign_in)
        walker.central()
    finally:
        root.removeHandler(ears)
        root.setLevel(level)
        sandbox.stop()
    walk.look("logs", ears.heard)
    walk.look("screen", [("screen", "".join(capfd.readouterr()).encode())])
    walker.files(var_dir)
    _made.append(walk)
    return walk


def test_walk_went_everywhere(walk: Walk) -> None:
    """Otherwise the rest would prove nothing."""
    assert {f"{kind} {colour}" for kind in VENDORS for colour in ("green", "red")} <= walk.colours
    assert walk.outcomes[:4] == [RunStatus.FAILED, RunStatus.SUCCEEDED, "401", "303"]
    assert walk.outcomes.count("200") > 40
    assert min(walk.count[place] for place in PLACES if place != "screen") > 15


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_is_in(walk: Walk, place: str) -> None:
    assert walk.found[place] == []


@pytest.mark.parametrize("place", PLACES)
def test_nothing_of_a_client_is_in(walk: Walk, place: str) -> None:
    assert walk.personal[place] == []


@pytest.mark.parametrize("vendor", VENDORS.values())
def test_vendor_gets_no_secret_but_its_own(walk: Walk, vendor: str) -> None:
    own = set(canary.keys_of(walk.world)[vendor].values())
    others = {name: key for name, key in walk.secrets().items() if key not in own}
    assert canary.search(others, requests_of(walk, vendor)) == []


@pytest.mark.parametrize(
    ("vendor", "name"),
    [
        ("supabase", "secret key"),
        ("supabase", "publishable key"),
        ("amocrm", "token"),
        ("radist", "key"),
        ("gemini", "key"),
        ("telegram", "token"),
    ],
)
def test_vendor_gets_its_own_key(walk: Walk, vendor: str, name: str) -> None:
    """The search sees whole requests: it finds what has to be there."""
    key = canary.keys_of(walk.world)[vendor][name]
    assert canary.search({name: key}, requests_of(walk, vendor))


def test_ai_reads_the_words_of_the_client_but_not_who_it_is(walk: Walk) -> None:
    asked = requests_of(walk, "gemini")
    assert canary.search({"words": walk.client.text}, asked)
    assert canary.search(walk.client.needles(), asked) == []


@pytest.mark.parametrize("vendor", ["telegram", "amocrm", "radist"])
def test_vendor_gets_nothing_of_a_client(walk: Walk, vendor: str) -> None:
    assert canary.search(walk.private(), requests_of(walk, vendor)) == []


def test_company_keeps_the_words_in_its_own_database(walk: Walk) -> None:
    found = canary.search(walk.private(), requests_of(walk, "supabase"))
    assert {one.partition(" in ")[0] for one in found} == set(walk.private())


def requests_of(walk: Walk, vendor: str) -> list[canary.Place]:
    return [(vendor, request) for request in walk.vendors[vendor]]


SECRET = "sb_secret_a-value/that+needs=quoting"
NEEDLES = {"it": SECRET}
DISGUISES = {
    "clear": SECRET.encode(),
    "packed": zlib.compress(SECRET.encode()),
    "packed behind a head": b"\x01abcd" + zlib.compress(SECRET.encode()),
    "in an address": quote(SECRET, safe="").encode(),
    "base64": b64encode(f"ab{SECRET}cd".encode()),
    "hexadecimal": SECRET.encode().hex().encode(),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_search_finds_a_leak_in_disguise(disguise: str) -> None:
    assert canary.search(NEEDLES, [("here", b"before " * 3 + DISGUISES[disguise])]) == ["it in here"]


def test_search_finds_a_leak_in_every_type_of_redis(store: Redis) -> None:
    store.set("string", SECRET)
    store.hset("hash", "field", zlib.compress(SECRET.encode()))
    store.hset("names", SECRET, "value")
    store.rpush("list", "first", SECRET)
    store.sadd("set", SECRET)
    store.zadd("zset", {SECRET: 1})
    store.xadd("stream", {"field": SECRET})
    store.set(f"key {SECRET}", "")
    found = canary.search(NEEDLES, canary.in_redis(store))
    keys = {"string", "hash", "names", "list", "set", "zset", "stream", "key"}
    assert {place.split()[3] for place in found} == keys


def test_search_finds_a_leak_in_the_database(app: Flask, engines: embedded.Engines, tenant: Tenant) -> None:
    with psycopg.connect(engines.superuser_url, dbname="synkro", autocommit=True) as connection:
        connection.execute("insert into system_marks (name, value, at) values ('leak', %s, now())", [SECRET])
        connection.execute("create table leaking (bytes bytea, words jsonb)")
        try:
            packed = zlib.compress(SECRET.encode())
            connection.execute("insert into leaking values (%s, jsonb_build_object('a', %s::text))", [packed, SECRET])
            found = canary.search(NEEDLES, canary.in_database(engines.superuser_url))
        finally:
            connection.execute("drop table leaking")
    assert set(found) == {"it in table system_marks", "it in table leaking", "it in column leaking.bytes"}


def test_search_finds_a_leak_in_a_file(tmp_path: Path, engines: embedded.Engines) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "some.log").write_bytes(b"\xff" + SECRET.encode())
    assert canary.in_files(NEEDLES, tmp_path, engines.superuser_url) == [f"it in {tmp_path / 'deep' / 'some.log'}"]


def test_ears_hear_a_leak_in_the_trace_of_a_log_line() -> None:
    ears = Ears()
    try:
        raise ValueError(SECRET)
    except ValueError:
        ears.emit(logging.makeLogRecord({"msg": "broke", "exc_info": sys.exc_info()}))
    assert canary.search(NEEDLES, ears.heard)
