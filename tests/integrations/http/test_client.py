"""The door out: what it refuses, what it repeats, what it never tells."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator

import pytest
from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from hypothesis import given
from hypothesis import strategies as st

from synkro.integrations.errors import ApiError, Busy, Lost, Nonsense, Refused, Unreachable
from synkro.integrations.http.calls import HttpAnswer, Pace, common_failure
from synkro.integrations.http.client import HttpClient, HttpConnection
from synkro.sandbox.faults import Faults
from tests.support.emulators import Counted, Emulator, Sockets, Start, resolving_to
from tests.support.sandbox_words import words

SECRET = "100200300:a-token-that-must-not-be-told"


def check_answer(answer: HttpAnswer) -> ApiError | None:
    return Refused("no") if answer.status == 401 else common_failure(answer)


def reach(emulator: Emulator, pacer: Counted | None = None, paces: dict[str, Pace] | None = None) -> HttpConnection:
    http_client = HttpClient(pacer or Counted(), allow_hosts=frozenset({emulator.host}))
    return http_client.open("vendor", "Vendor", emulator.url, check_answer=check_answer, paces=paces)


@pytest.fixture
def vendor(start: Start) -> Emulator:
    app = Flask(__name__)
    Faults(app)
    bomb = Response(gzip.compress(b" " * 5_000_000), headers={"Content-Encoding": "gzip"})
    nested = Response("[" * 200_000, content_type="application/json")
    routes: dict[str, Callable[[], ResponseReturnValue]] = {
        "ok": lambda: {"auth": request.headers.get("Authorization"), "port": request.environ["REMOTE_PORT"]},
        "key": lambda: ({}, 401),
        "away": lambda: redirect("/ok"),
        "bomb": lambda: bomb,
        "nested": lambda: nested,
    }
    for name, view in routes.items():
        app.add_url_rule(f"/{name}", name, view, methods=["GET", "POST"])
    return start(app)


def test_a_listed_host_may_be_a_loopback_address(vendor: Emulator) -> None:
    assert reach(vendor).get("/ok").status == 200


def test_the_same_host_on_another_port_is_not_listed(vendor: Emulator) -> None:
    http_client = HttpClient(Counted(), allow_hosts=frozenset({vendor.host}))
    with pytest.raises(Refused, match="address_refused"):
        http_client.open("vendor", "Vendor", "http://127.0.0.1:1", check_answer=check_answer)


def test_a_stand_in_keeps_the_path_of_the_vendor(vendor: Emulator) -> None:
    http_client = HttpClient(Counted(), replace={"vendor": vendor.url}, allow_hosts=frozenset({vendor.host}))
    http = http_client.open("vendor", "Vendor", "https://api.example.com/v2", check_answer=check_answer)
    with pytest.raises(Nonsense):
        http.get("/chats", tries=1)
    assert vendor.requests()[-1]["path"] == "/v2/chats"


def test_a_redirect_is_not_followed(vendor: Emulator) -> None:
    with pytest.raises(Nonsense, match="unexpected_shape"):
        reach(vendor).get("/away", tries=1)
    assert [entry["path"] for entry in vendor.requests()] == ["/away"]


def test_an_answer_over_the_limit_is_dropped(vendor: Emulator) -> None:
    vendor.fault("huge", value=300_000)
    with pytest.raises(Nonsense, match="too_large"):
        reach(vendor).get("/ok", tries=1, max_bytes=200_000)


def test_an_answer_of_just_the_limit_is_taken(vendor: Emulator) -> None:
    vendor.fault("huge", value=200_000)
    assert len(reach(vendor).get("/ok", tries=1, max_bytes=200_000).body) == 200_000


def test_the_limit_counts_what_a_packed_answer_unpacks_to(vendor: Emulator) -> None:
    with pytest.raises(Nonsense, match="too_large"):
        reach(vendor).get("/bomb", tries=1, max_bytes=1_000_000)


@pytest.mark.parametrize("fault", ["500", "502_html", "503", "429", "drop", "drop_after"])
def test_a_passing_error_is_tried_again(fault: str, vendor: Emulator) -> None:
    vendor.fault(fault, times=2)
    assert reach(vendor).get("/ok", tries=3).status == 200


def test_tries_are_counted(vendor: Emulator) -> None:
    vendor.fault("503", times=-1)
    with pytest.raises(Unreachable, match="server_error"):
        reach(vendor).get("/ok", tries=4)
    assert len(vendor.requests()) == 4


def test_a_refusal_is_not_tried_again(vendor: Emulator) -> None:
    with pytest.raises(Refused):
        reach(vendor).get("/key", tries=3)
    assert len(vendor.requests()) == 1


def test_a_kind_named_final_is_not_tried_again(vendor: Emulator) -> None:
    vendor.fault("429", times=-1)
    with pytest.raises(Busy):
        reach(vendor).get("/ok", tries=3, final=(Busy,))
    assert len(vendor.requests()) == 1


def test_a_post_is_made_once(vendor: Emulator) -> None:
    vendor.fault("503", times=-1)
    with pytest.raises(Unreachable):
        reach(vendor).post("/ok", {})
    assert len(vendor.requests()) == 1


def test_a_long_wait_is_left_to_the_caller(start: Start) -> None:
    app = Flask(__name__)
    Faults(app)
    vendor = start(app)
    http_client = HttpClient(Counted(), allow_hosts=frozenset({vendor.host}))
    asked_to_wait = http_client.open(
        "vendor", "Vendor", vendor.url, check_answer=lambda _: Busy("busy", retry_after=16)
    )
    with pytest.raises(Busy):
        asked_to_wait.get("/ok", tries=3)
    assert len(vendor.requests()) == 1


def test_an_answer_that_makes_no_sense_is_asked_for_once_more(vendor: Emulator) -> None:
    with pytest.raises(Nonsense, match="unexpected_shape"):
        reach(vendor).get("/away", tries=4)
    assert len(vendor.requests()) == 2


@pytest.mark.parametrize(
    ("error", "keys"),
    [
        (Busy("busy", retry_after=16), ["v:chats", "v:all"]),
        (Refused("blocked", retry_after=16), ["v:chats"]),
        (Busy("busy"), []),
        (Refused("blocked"), []),
    ],
)
def test_who_is_asked_to_wait_lets_all_others_wait(error: ApiError, keys: list[str], vendor: Emulator) -> None:
    pacer = Counted()
    paces = {"all": Pace("v:all", 5), "chats": Pace("v:chats", 1)}
    http_client = HttpClient(pacer, allow_hosts=frozenset({vendor.host}))
    with pytest.raises(type(error)):
        http_client.open("vendor", "Vendor", vendor.url, check_answer=lambda _: error, paces=paces).send(
            "GET", "/ok", pace=("chats", "all", "unlimited")
        )
    assert pacer.rests == [(key, 16, error.code) for key in keys]


class Resting(Counted):
    """A pacer of a key that has to rest for long."""

    def wait(self, key: str, per_second: float) -> None:
        super().wait(key, per_second)
        raise Busy("busy", retry_after=300)


def test_during_a_rest_nothing_is_sent_and_no_new_rest_begins(vendor: Emulator) -> None:
    pacer = Resting()
    with pytest.raises(Busy) as raised:
        reach(vendor, pacer, {"default": Pace("v:all", 5)}).get("/ok")
    assert raised.value.retry_after == 300
    assert words(raised.value)[:6] == "Vendor"
    assert pacer.rests == []
    assert vendor.requests() == []


def test_each_try_takes_a_turn_of_every_limit_it_counts_against(vendor: Emulator) -> None:
    pacer = Counted()
    paces = {"all": Pace("v:all", 5), "chats": Pace("v:chats", 1)}
    vendor.fault("503", times=1)
    reach(vendor, pacer, paces).get("/ok", pace=("chats", "all", "unlimited"))
    assert pacer.keys == ["v:chats 1", "v:all 5"] * 2


def test_a_lost_answer_is_told_apart_from_a_closed_port(vendor: Emulator) -> None:
    vendor.fault("drop_after")
    with pytest.raises(Lost):
        reach(vendor).get("/ok", tries=1)
    http_client = HttpClient(Counted(), allow_hosts=frozenset({"127.0.0.1:1"}))
    with pytest.raises(Unreachable) as closed:
        http_client.open("vendor", "Vendor", "http://127.0.0.1:1", check_answer=check_answer).get("/", tries=1)
    assert not isinstance(closed.value, Lost)


class Raw:
    """A server that answers each connection with the pieces it was given, one every hundredth of a second."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        self._listener.settimeout(10)
        connection, _ = self._listener.accept()
        with connection:
            connection.recv(65_536)
            for piece in self._pieces:
                if self._over.wait(0.01):
                    return
                try:
                    connection.sendall(piece)
                except OSError:
                    return

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        self._listener.close()


@pytest.fixture
def raw() -> Iterator[Callable[..., HttpConnection]]:
    running: list[Raw] = []

    def begin(*pieces: bytes) -> HttpConnection:
        running.append(Raw(*pieces))
        http_client = HttpClient(Counted(), allow_hosts=frozenset({running[-1].host}))
        return http_client.open("vendor", "Vendor", f"http://{running[-1].host}", check_answer=check_answer)

    yield begin
    for server in running:
        server.stop()


PIECES, PATIENCE = 6_000, 30
"""One every hundredth of a second: to wait for all of them takes twice as many seconds as we have patience."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DRIPS = {
    "sized": (HEAD + b"Content-Length: 6000\r\n\r\n", *[b" "] * PIECES),
    "unsized": (HEAD + b"Connection: close\r\n\r\n", *[b" "] * PIECES),
    "chunked": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\n \r\n"] * PIECES),
    "one chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1770\r\n", *[b" "] * PIECES),
}


@pytest.mark.parametrize("pieces", DRIPS.values(), ids=DRIPS)
def test_the_deadline_ends_a_body_that_drips(pieces: tuple[bytes, ...], raw: Callable[..., HttpConnection]) -> None:
    http = raw(*pieces)
    begun = time.monotonic()
    with pytest.raises(Lost, match="too_slow"):
        http.get("/", tries=1, deadline_seconds=0.3)
    assert time.monotonic() - begun < PATIENCE


def test_a_silent_vendor_is_too_slow_within_the_deadline(raw: Callable[..., HttpConnection]) -> None:
    http = raw(*[b""] * PIECES)
    begun = time.monotonic()
    with pytest.raises(Lost, match="too_slow"):
        http.get("/", tries=1, deadline_seconds=0.3)
    assert time.monotonic() - begun < PATIENCE


def test_an_answer_cut_short_is_an_error_and_not_a_shorter_answer(raw: Callable[..., HttpConnection]) -> None:
    http = raw(HEAD + b"Content-Length: 100\r\n\r\n[1, 2]")
    with pytest.raises(Lost):
        http.get("/", tries=1)


def test_a_body_in_many_pieces_arrives_whole(raw: Callable[..., HttpConnection]) -> None:
    http = raw(HEAD + b"Content-Length: 6\r\n\r\n", b"[1", b", ", b"2]")
    assert http.get("/", tries=1).json() == [1, 2]


def test_a_body_that_is_nested_too_deep_is_not_json(vendor: Emulator) -> None:
    answer = reach(vendor).get("/nested")
    with pytest.raises(Nonsense, match="not_json"):
        answer.json()
    assert answer.json_or_none() is None


def told(error: BaseException | None) -> str:
    """All that a log or a person could get to see of an error, whatever hangs below it included."""
    parts = []
    while error is not None:
        parts += [repr(error), str(error), repr(vars(error)), "".join(traceback.format_exception_only(error))]
        error = error.__cause__ or error.__context__
    return " ".join(parts)


@pytest.mark.parametrize("fault", ["drop", "drop_after", "500", "502_html", "broken_json"])
def test_an_error_never_tells_the_token(fault: str, vendor: Emulator) -> None:
    vendor.fault(fault, times=-1)
    http_client = HttpClient(Counted(), allow_hosts=frozenset({vendor.host}))
    http = http_client.open(
        "vendor", "Vendor", vendor.url, check_answer=check_answer, headers={"Authorization": SECRET}
    )
    with pytest.raises(ApiError) as raised:
        http.get(f"/bot{SECRET}/getMe", (("key", SECRET),), tries=2).json()
    assert SECRET not in told(raised.value)


def test_an_unreachable_host_does_not_tell_the_token(sockets: Sockets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to("93.184.215.14"))
    http = HttpClient(Counted()).open("vendor", "Vendor", "https://vendor.example.com", check_answer=check_answer)
    with pytest.raises(Unreachable) as raised:
        http.get(f"/bot{SECRET}/getMe", tries=1)
    assert SECRET not in told(raised.value)


def test_a_timeout_does_not_tell_the_token(raw: Callable[..., HttpConnection]) -> None:
    with pytest.raises(Unreachable) as raised:
        raw(*[b""] * 300).get(f"/bot{SECRET}/getMe", tries=1, read_seconds=0.05)
    assert SECRET not in told(raised.value)


@pytest.mark.parametrize("key", ["ключ", "a\nb", "a\rX-Other: b", "a\x00b", "\U0001f511"])
def test_a_key_that_http_cannot_carry_is_refused_without_being_told(key: str) -> None:
    with pytest.raises(Refused, match="key_malformed") as raised:
        HttpClient(Counted()).open(
            "vendor", "Vendor", "https://vendor.example.com", check_answer=check_answer, headers={"X-Api-Key": key}
        )
    assert key not in told(raised.value)


def test_proxies_and_netrc_of_the_machine_are_ignored(vendor: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert reach(vendor).get("/ok", tries=1).json()["auth"] is None


def test_a_connection_is_used_again(vendor: Emulator) -> None:
    http = reach(vendor)
    assert len({http.get("/ok").json()["port"] for _ in range(3)}) == 1


def test_half_a_surrogate_pair_can_be_sent(vendor: Emulator) -> None:
    assert reach(vendor).post("/ok", {"text": "cut \ud83d"}).status == 200


@given(st.binary(max_size=200))
def test_any_body_is_json_or_nonsense(body: bytes) -> None:
    answer = HttpAnswer(200, {}, body, "Vendor")
    try:
        expected = json.loads(body)
    except ValueError:
        with pytest.raises(Nonsense):
            answer.json()
    else:
        assert repr(answer.json()) == repr(expected)


@given(st.integers(100, 599))
def test_every_status_is_a_success_or_an_error_kind(status: int) -> None:
    failure = common_failure(HttpAnswer(status, {}, b"", "Vendor"))
    assert (failure is None) == (status < 300)
