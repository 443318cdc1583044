"""Emulators over real HTTP, and a door that leads to them."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask, Response, request

from synkro.integrations.amocrm.client import Amocrm
from synkro.integrations.http.client import HttpClient
from synkro.sandbox.amocrm.app import create_app as create_amocrm
from synkro.sandbox.amocrm.oauth import long_lived_token
from synkro.sandbox.demo.world import demo_world
from synkro.sandbox.server import Server
from synkro.sandbox.world import World

NOW = datetime(2026, 3, 17, 15, 0, tzinfo=UTC)


@dataclass
class Counted:
    """A pacer that lets everything through at once and remembers the keys and the rests that were asked for."""

    keys: list[str] = field(default_factory=list)
    rests: list[tuple[str, float, str]] = field(default_factory=list)

    def wait(self, key: str, per_second: float) -> None:
        self.keys.append(f"{key} {per_second:g}")

    def pause(self, key: str, seconds: float, code: str) -> None:
        self.rests.append((key, seconds, code))


class Paced:
    """A pacer that really waits: evenly spaced turns, as the shared one gives them."""

    def __init__(self) -> None:
        self._free: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, key: str, per_second: float) -> None:
        with self._lock:
            turn = max(time.monotonic(), self._free.get(key, 0))
            self._free[key] = turn + 1 / per_second
        time.sleep(max(turn - time.monotonic(), 0))

    def pause(self, key: str, seconds: float, code: str) -> None:
        raise AssertionError(f"{key} was asked to rest for {seconds} s at our pace: {code}")


class Emulator:
    """A running emulator with its switchboard."""

    def __init__(self, app: Flask) -> None:
        self._server = Server(app)
        self.url = self._server.url

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def set(self, **settings: Any) -> None:
        self._order({"set": settings})

    def fault(self, name: str, **how: Any) -> None:
        self._order({"fault": name, **how})

    def requests(self) -> list[dict[str, Any]]:
        """The log of the requests so far, the oldest first."""
        log: list[dict[str, Any]] = requests.get(f"{self.url}/__requests", timeout=60).json()
        return log

    def forget(self) -> None:
        requests.delete(f"{self.url}/__requests", timeout=60)

    def stop(self) -> None:
        self._server.stop()

    def _order(self, order: dict[str, Any]) -> None:
        requests.post(f"{self.url}/__control", json=order, timeout=60).raise_for_status()


Start = Callable[[Flask], Emulator]


@pytest.fixture(scope="session")
def world() -> World:
    return demo_world(NOW)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts an emulator that stops with the test."""
    running: list[Emulator] = []

    def begin(app: Flask) -> Emulator:
        running.append(Emulator(app))
        return running[-1]

    yield begin
    for emulator in running:
        emulator.stop()


@pytest.fixture
def pacer() -> Counted:
    return Counted()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries are a hundred times shorter. Who waits and who does not stays as it is."""
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=lambda seconds: time.sleep(seconds / 100))
    monkeypatch.setattr("synkro.integrations.http.client.time", clock)


def client_to(pacer: Any, **emulators: Emulator) -> HttpClient:
    return HttpClient(
        pacer=pacer,
        replace={kind: emulator.url for kind, emulator in emulators.items()},
        allow_hosts=frozenset(emulator.host for emulator in emulators.values()),
    )


def company(world: World, leads: int) -> World:
    """The demo company with this many open deals, one each minute up to NOW, each with one contact of its own."""
    person, pipeline = world.contacts[0], world.pipelines[0]
    stage = next(status.id for status in pipeline.statuses if status.kind == 0)
    model = replace(world.leads[0], pipeline_id=pipeline.id, status_id=stage, is_deleted=False)
    updated = [int((NOW - timedelta(minutes=leads - i)).timestamp()) for i in range(leads)]
    deals = [
        replace(model, id=1000 + i, name=f"Deal {i}", updated_at=at, contact_ids=(5000 + i,))
        for i, at in enumerate(updated)
    ]
    people = [replace(person, id=5000 + i, name=f"Person {i}", phones=(f"+7701{i:07d}",)) for i in range(leads)]
    return replace(world, leads=deals, contacts=people)


ConnectAmocrm = Callable[..., tuple[Amocrm, Emulator]]


@pytest.fixture
def connect_amocrm(start: Start) -> ConnectAmocrm:
    def begin(world: World, pacer: Any = None, **settings: Any) -> tuple[Amocrm, Emulator]:
        emulator = start(create_amocrm(world))
        emulator.set(rps=0, account_rps=0, **settings)
        keys = {"subdomain": world.subdomain, "token": long_lived_token(world)}
        return Amocrm(keys, client_to(pacer or Counted(), amocrm=emulator)), emulator

    return begin


@pytest.fixture(scope="session")
def many(world: World) -> World:
    return company(world, 600)


def saying(answers: Sequence[tuple[int, Any]]) -> tuple[Flask, list[dict[str, Any]]]:
    """A vendor that gives these answers (status, JSON) in turn, and the bodies that it was sent."""
    app = Flask(__name__)
    waiting, seen = list(answers), list[dict[str, Any]]()

    @app.route("/<path:path>", methods=["GET", "POST"])
    def say(path: str) -> Response:
        seen.append(request.get_json(silent=True) or {})
        status, body = waiting.pop(0)
        return Response(json.dumps(body), status, content_type="application/json")

    return app, seen


class Sockets(list[object]):
    """What was asked of the network."""


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Sockets:
    asked = Sockets()

    def connect(_self: socket.socket, address: object) -> None:
        asked.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", connect)
    return asked


def resolving_to(address: str) -> Callable[..., list[tuple[object, ...]]]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return lambda _host, port, *_more, **_named: [(family, socket.SOCK_STREAM, 6, "", (address, port))]
