"""Serving emulators over real HTTP on the loopback address."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
from collections.abc import Iterable, Mapping
from typing import IO, Any, cast

from flask import Flask
from werkzeug.serving import BaseWSGIServer, DechunkedInput, WSGIRequestHandler, make_server
from werkzeug.test import run_wsgi_app

from synkro.sandbox.amocrm import app as amocrm
from synkro.sandbox.gemini import app as gemini
from synkro.sandbox.openai import app as openai
from synkro.sandbox.radist import app as radist
from synkro.sandbox.supabase import app as supabase
from synkro.sandbox.telegram import app as telegram
from synkro.sandbox.world import World

_BACKLOG = 256


class KeepAlive(WSGIRequestHandler):
    """Like werkzeug's handler, but connections stay open between requests, as they do at the vendors."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536

    def setup(self) -> None:
        super().setup()
        _connections(self.server).add(self.connection)

    def finish(self) -> None:
        _connections(self.server).discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()
        self.rfile.close()

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Silent: the emulators keep their own log."""

    def run_wsgi(self) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        environ = self.make_environ()
        environ["wsgi.input"] = io.BytesIO(self._body())
        try:
            pieces, status, headers = run_wsgi_app(self.server.app, environ)
            self._answer(environ["REQUEST_METHOD"], pieces, status, headers.items())
        except ConnectionError:
            self.close_connection = True

    def _body(self) -> bytes:
        # Read whole before the work: an unread rest would be taken for the next request.
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return DechunkedInput(cast(IO[bytes], self.rfile)).read() or b""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, method: str, pieces: Iterable[bytes], status: str, headers: Iterable[tuple[str, str]]) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        names = set()
        for name, value in headers:
            self.send_header(name, value)
            names.add(name.lower())
        bodiless = method == "HEAD" or int(code) in {204, 304}
        chunked = not bodiless and "content-length" not in names
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            if piece and not bodiless:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        if close := getattr(pieces, "close", None):
            close()
        self.wfile.flush()


def _connections(server: BaseWSGIServer) -> set[socket.socket]:
    return server.__dict__.setdefault("open_connections", set())  # type: ignore[no-any-return]


class Server:
    """One app on 127.0.0.1 in daemon threads. A taken port is stepped over: `port` and `url` tell the real one."""

    def __init__(self, app: Flask, port: int = 0) -> None:
        with _listen(port) as listener:
            host, self.port = listener.getsockname()
            self._http = make_server(
                host, self.port, app, threaded=True, request_handler=KeepAlive, fd=listener.fileno()
            )
        self.url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and hang up on every client."""
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        for connection in list(_connections(self._http)):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
    except OSError:
        return socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)


class Sandbox:
    """All six vendors around one world. ports: kind -> wished port; where it is taken or missing, any free one."""

    def __init__(self, world: World, ports: Mapping[str, int] | None = None) -> None:
        wished = dict(ports or {})
        self.amocrm = Server(amocrm.create_app(world), wished.get("amocrm", 0))
        self.radist = Server(radist.create_app(world), wished.get("radist", 0))
        self.supabase = Server(supabase.create_app(world.keys), wished.get("supabase", 0))
        self.gemini = Server(gemini.create_app(world.keys), wished.get("gemini", 0))
        self.openai = Server(openai.create_app(world.keys), wished.get("openai", 0))
        self.telegram = Server(telegram.create_app(world.keys), wished.get("telegram", 0))

    @property
    def _servers(self) -> dict[str, Server]:
        return {
            "amocrm": self.amocrm,
            "radist": self.radist,
            "supabase": self.supabase,
            "gemini": self.gemini,
            "openai": self.openai,
            "telegram": self.telegram,
        }

    @property
    def urls(self) -> dict[str, str]:
        """kind -> "scheme://host:port" that stands in for the vendor's own."""
        return {kind: server.url for kind, server in self._servers.items()}

    def stop(self) -> None:
        """Stop them all."""
        for server in self._servers.values():
            server.stop()
