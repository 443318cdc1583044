"""The switchboard of failures, over real connections."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from flask import Flask, request

from synkro.sandbox.faults import Faults
from synkro.sandbox.server import Server


class Stand:
    """An app that counts the work it did."""

    def __init__(self) -> None:
        self.done = 0
        app = Flask(__name__)
        self.faults = Faults(app, {"mood": "good"})
        app.add_url_rule("/work", view_func=self._work, methods=["GET", "POST"])
        app.add_url_rule("/own", view_func=self._own)
        self.server = Server(app)
        self.session = requests.Session()

    def _work(self) -> dict[str, object]:
        self.done += 1
        self.faults.note(size=len(request.get_data()))
        return {"mood": self.faults["mood"]}

    def _own(self) -> dict[str, object]:
        fault = self.faults.take("own")
        return {"value": fault.value if fault else None}

    def get(self, path: str = "/work") -> requests.Response:
        return self.session.get(self.server.url + path, timeout=60)

    def queue(self, fault: str, **more: object) -> None:
        self.session.post(self.server.url + "/__control", json={"fault": fault, **more}, timeout=60).raise_for_status()


@pytest.fixture
def stand() -> Iterator[Stand]:
    one = Stand()
    yield one
    one.session.close()
    one.server.stop()


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("500", 500, "application/json"),
        ("502_html", 502, "text/html"),
        ("503", 503, "application/json"),
        ("429", 429, "application/json"),
        ("429_html", 429, "text/html"),
        ("html", 200, "text/html"),
        ("empty", 200, "application/json"),
        ("broken_json", 200, "application/json"),
    ],
)
def test_a_fault_answers_instead_of_the_work(stand: Stand, fault: str, status: int, kind: str) -> None:
    stand.queue(fault)
    answer = stand.get()
    assert answer.status_code == status
    assert answer.headers["Content-Type"].partition(";")[0] == kind
    assert stand.done == 0


def test_broken_json_cannot_be_read(stand: Stand) -> None:
    stand.queue("broken_json")
    with pytest.raises(requests.JSONDecodeError):
        stand.get().json()


def test_a_fault_is_met_as_often_as_asked_after_those_let_through(stand: Stand) -> None:
    stand.queue("500", after=1, times=2)
    assert [stand.get().status_code for _ in range(4)] == [200, 500, 500, 200]


def test_a_fault_waits_for_its_path(stand: Stand) -> None:
    stand.queue("500", path="/own")
    assert stand.get().status_code == 200
    assert stand.get("/own").status_code == 500


def test_an_endless_fault_lasts_until_cleared(stand: Stand) -> None:
    stand.queue("503", times=-1)
    assert {stand.get().status_code for _ in range(3)} == {503}
    stand.session.delete(stand.server.url + "/__control", timeout=60)
    assert stand.get().status_code == 200


def test_drop_closes_the_connection_before_the_work(stand: Stand) -> None:
    stand.queue("drop")
    with pytest.raises(requests.ConnectionError):
        stand.get()
    assert stand.done == 0


def test_drop_after_does_the_work_and_closes(stand: Stand) -> None:
    stand.queue("drop_after")
    with pytest.raises(requests.ConnectionError):
        stand.get()
    assert stand.done == 1


def test_the_next_request_after_a_drop_is_served(stand: Stand) -> None:
    stand.queue("drop")
    with pytest.raises(requests.ConnectionError):
        stand.get()
    assert stand.get().status_code == 200


def test_slow_waits_and_goes_on(stand: Stand) -> None:
    stand.queue("slow", seconds=0.2)
    began = time.monotonic()
    assert stand.get().status_code == 200
    assert time.monotonic() - began >= 0.2


def test_huge_has_the_asked_size_and_does_not_announce_it(stand: Stand) -> None:
    stand.queue("huge", value=200_001)
    answer = stand.get()
    assert len(answer.content) == 200_001
    assert "Content-Length" not in answer.headers


def test_an_emulators_own_fault_is_taken_once(stand: Stand) -> None:
    stand.queue("own", value="x")
    assert [stand.get("/own").json()["value"] for _ in range(2)] == ["x", None]


def test_settings_change_and_come_back(stand: Stand) -> None:
    control = stand.server.url + "/__control"
    stand.session.post(control, json={"set": {"mood": "bad"}}, timeout=60)
    changed = stand.get().json()
    stand.session.delete(control, timeout=60)
    assert changed == {"mood": "bad"}
    assert stand.get().json() == {"mood": "good"}


def test_an_unknown_setting_is_refused(stand: Stand) -> None:
    answer = stand.session.post(stand.server.url + "/__control", json={"set": {"moood": 1}}, timeout=60)
    assert answer.status_code == 400


def test_the_log_tells_requests_and_what_the_emulator_noted(stand: Stand) -> None:
    stand.session.post(stand.server.url + "/work?a=1&b=%D1%8F", data=b"12345", headers={"X-Key": "secret"}, timeout=60)
    entry = stand.get("/__requests").json()[0]
    at = entry.pop("at")
    assert entry == {"method": "POST", "path": "/work", "query": "a=1&b=%D1%8F", "status": 200, "size": 5}
    assert abs(at - time.time()) < 60


def test_a_dropped_request_is_logged_without_a_status(stand: Stand) -> None:
    stand.queue("drop")
    with pytest.raises(requests.ConnectionError):
        stand.get()
    assert [entry["status"] for entry in stand.get("/__requests").json()] == [None]


def test_the_log_can_be_emptied(stand: Stand) -> None:
    stand.get()
    stand.session.delete(stand.server.url + "/__requests", timeout=60)
    assert stand.get("/__requests").json() == []


def test_a_fault_is_met_exactly_as_often_under_parallel_requests(stand: Stand) -> None:
    stand.queue("500", times=5)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: requests.get(stand.server.url + "/work", timeout=60).status_code, range(40)))
    assert found.count(500) == 5
