"""Emulators are served as vendors are: over connections that stay open, alone or all together."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from flask import Flask, request

from synkro.sandbox.big import big_world
from synkro.sandbox.server import Sandbox, Server

KINDS = {"amocrm", "radist", "supabase", "gemini", "openai", "telegram"}


def an_app() -> Flask:
    app = Flask("stand")
    app.add_url_rule("/size", "size", lambda: str(len(request.get_data())), methods=["GET", "POST"])
    app.add_url_rule("/parts", "parts", lambda: (piece for piece in ("a", "bc", "")), methods=["GET", "POST"])
    return app


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server(an_app())
    yield one
    one.stop()


def test_a_client_keeps_its_connection(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        for _ in range(2):
            line.sendall(b"GET /size HTTP/1.1\r\nHost: x\r\n\r\n")
            assert line.recv(4096).startswith(b"HTTP/1.1 200")


def test_an_unread_body_is_not_taken_for_the_next_request(server: Server) -> None:
    with requests.Session() as session:
        session.post(server.url + "/parts", data=b"x" * 100_000, timeout=60)
        assert session.get(server.url + "/size", timeout=60).text == "0"


def test_a_chunked_body_is_read_whole(server: Server) -> None:
    assert requests.post(server.url + "/size", data=iter([b"ab", b"cde"]), timeout=60).text == "5"


def test_an_answer_of_unknown_length_arrives_whole(server: Server) -> None:
    assert requests.get(server.url + "/parts", timeout=60).text == "abc"


def test_a_taken_port_is_stepped_over(server: Server) -> None:
    second = Server(an_app(), server.port)
    assert second.port != server.port
    second.stop()


def test_a_stopped_server_refuses_even_a_kept_connection() -> None:
    one = Server(an_app())
    with requests.Session() as session:
        session.get(one.url + "/size", timeout=60)
        one.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(one.url + "/size", timeout=60)


def test_all_vendors_listen_until_stopped() -> None:
    sandbox = Sandbox(big_world(1, 1, 1, datetime.now(UTC)))
    answers = {kind: requests.get(url + "/__requests", timeout=60).json() for kind, url in sandbox.urls.items()}
    sandbox.stop()
    assert answers == {kind: [] for kind in KINDS}
    for url in sandbox.urls.values():
        with pytest.raises(requests.ConnectionError):
            requests.get(url + "/__requests", timeout=60)


def test_wished_ports_are_taken_when_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
    sandbox = Sandbox(big_world(1, 1, 1, datetime.now(UTC)), {"radist": free})
    sandbox.stop()
    assert sandbox.radist.port == free


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_tells_its_addresses_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    state = tmp_path / "state.json"
    command = [sys.executable, "-m", "synkro.sandbox", "--state", str(state)]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}) as process:
        deadline = time.monotonic() + 120
        while not state.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        urls = json.loads(state.read_text(encoding="utf-8"))
        status = requests.get(urls["radist"] + "/v2/companies/", timeout=60).status_code
        process.send_signal(number)
        ended = process.wait(timeout=60)
    assert set(urls) == KINDS
    assert status == 401
    assert ended == 0
    assert not state.exists()
