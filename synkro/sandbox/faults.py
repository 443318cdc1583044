"""The failure switchboard that every emulator carries: queued faults, settings and the log of requests.

`POST /__control` takes either of two JSON forms (or both at once):

* `{"fault": NAME, "path": "", "times": 1, "after": 0, "seconds": 1.0, "value": null}` queues a fault for requests whose
  path contains `path`: the first `after` of them pass, the next `times` of them meet it (`times` -1: until cleared).
* `{"set": {NAME: VALUE}}` changes settings which the emulator declared; an unknown name is refused with 400.

`GET /__control` shows what is queued and set; `DELETE /__control` drops the queue and restores the settings.
`GET /__requests` is the log, `[{"method", "path", "query", "status", "at"}]` plus what the emulator noted; status is
null while a request runs and when no answer was given. `DELETE /__requests` empties it. `/__...` itself is not logged.

Faults every emulator has: 500, 502_html, 503, 429, 429_html, slow (waits `seconds`, then goes on), drop (closes the
connection before the work), drop_after (does the work, then closes it unanswered), broken_json, html, empty, huge (200
and a body of `value` bytes). Any other name waits until the emulator asks for it with `Faults.take`.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from flask import Flask, Response, g, jsonify, request
from flask.typing import ResponseReturnValue

_LOG_LENGTH = 200_000
_HTML = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center><hr>nginx</body>\r\n</html>\r\n"
)
_DEFAULT_HUGE = 50_000_000


@dataclass
class Fault:
    """One queued failure; `after` and `times` count down as requests meet it."""

    fault: str
    path: str = ""
    times: int = 1
    after: int = 0
    seconds: float = 1.0
    value: Any = None


class Faults:
    """Installs the switchboard on an emulator's app; create it before the app's own `before_request` functions."""

    def __init__(self, app: Flask, settings: Mapping[str, Any] | None = None) -> None:
        """settings: the emulator's knobs with their default values."""
        self._defaults = dict(settings or {})
        self._settings = dict(self._defaults)
        self._queue: list[Fault] = []
        self._log: deque[dict[str, Any]] = deque(maxlen=_LOG_LENGTH)
        self._lock = threading.Lock()
        app.before_request(self._before)
        app.after_request(self._after)
        app.add_url_rule("/__control", view_func=self._control, methods=["GET", "POST", "DELETE"])
        app.add_url_rule("/__requests", view_func=self._requests, methods=["GET", "DELETE"])

    def __getitem__(self, name: str) -> Any:
        """The present value of a declared setting."""
        with self._lock:
            return self._settings[name]

    def take(self, name: str, path: str | None = None) -> Fault | None:
        """The queued fault of this name if it is due for the path (by default the request's own), else None."""
        where = request.path if path is None else path
        with self._lock:
            for fault in self._queue:
                if fault.fault == name and fault.path in where:
                    return self._meet(fault)
        return None

    def _meet(self, fault: Fault) -> Fault | None:
        if fault.after > 0:
            fault.after -= 1
            return None
        if fault.times > 0:
            fault.times -= 1
        if fault.times == 0:
            self._queue.remove(fault)
        return fault

    def note(self, **extra: Any) -> None:
        """Add the emulator's own keys to the log entry of the present request."""
        with self._lock:
            g.log_entry.update(extra)

    def _control(self) -> ResponseReturnValue:
        if request.method == "POST":
            order = request.get_json()
            settings = order.pop("set", {})
            unknown = settings.keys() - self._defaults.keys()
            if unknown:
                return jsonify(error=f"unknown settings: {sorted(unknown)}"), 400
            with self._lock:
                self._settings.update(settings)
                if order:
                    self._queue.append(Fault(**order))
        if request.method == "DELETE":
            with self._lock:
                self._queue.clear()
                self._settings = dict(self._defaults)
        with self._lock:
            return jsonify(faults=[asdict(fault) for fault in self._queue], set=dict(self._settings))

    def _requests(self) -> ResponseReturnValue:
        with self._lock:
            if request.method == "DELETE":
                self._log.clear()
            return jsonify(list(self._log))

    def _before(self) -> ResponseReturnValue | None:
        if request.path.startswith("/__"):
            return None
        g.log_entry = {
            "method": request.method,
            "path": request.path,
            "query": request.query_string.decode(errors="replace"),
            "status": None,
            "at": time.time(),
        }
        with self._lock:
            self._log.append(g.log_entry)
        if slow := self.take("slow"):
            time.sleep(slow.seconds)
        if self.take("drop"):
            return _hang_up(Response(status=500))
        return self._answer()

    def _answer(self) -> ResponseReturnValue | None:
        for name, (status, body, kind) in _ANSWERS.items():
            if self.take(name):
                return Response(body, status, content_type=kind)
        if huge := self.take("huge"):
            return Response(_blank(int(huge.value or _DEFAULT_HUGE)), 200, content_type="application/json")
        return None

    def _after(self, response: Response) -> Response:
        entry = g.get("log_entry")
        if entry is None or g.get("hung_up"):
            return response
        if self.take("drop_after"):
            return _hang_up(response)
        with self._lock:
            entry["status"] = response.status_code
        return response


_ANSWERS: dict[str, tuple[int, str, str]] = {
    "500": (500, '{"error": "internal error"}', "application/json"),
    "502_html": (502, _HTML.format("502 Bad Gateway"), "text/html"),
    "503": (503, '{"error": "service unavailable"}', "application/json"),
    "429": (429, '{"error": "too many requests"}', "application/json"),
    "429_html": (429, _HTML.format("429 Too Many Requests"), "text/html"),
    "broken_json": (200, '{"data": [{"id": 1, "na', "application/json"),
    "html": (200, _HTML.format("Welcome"), "text/html"),
    "empty": (200, "", "application/json"),
}


def _hang_up(response: Response) -> Response:
    """Close the client's connection, so that the response never leaves the machine."""
    g.hung_up = True
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    return response


def _blank(size: int) -> Iterator[bytes]:
    piece = b" " * 65_536
    for start in range(0, size, len(piece)):
        yield piece[: size - start]
