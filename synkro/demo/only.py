"""One demo a folder: a second one would point the company at other stand-ins in the middle of a run."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class AlreadyRunning(Exception):
    """The text says where."""


class Claim:
    """Held by this process until its end, however that comes about: no mark of a killed demo stays behind."""

    def __init__(self, folder: Path) -> None:
        """Raises AlreadyRunning, and has changed nothing then."""
        folder.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(folder / "running", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            address = os.pread(self._handle, 200, 0).decode()
            os.close(self._handle)
            where = f"running at {address}" if address else "starting"
            raise AlreadyRunning(f"A demo is already {where} in {folder.parent}. Ctrl-C there ends it.") from None
        os.ftruncate(self._handle, 0)  # where one that is gone was

    def tell(self, address: str) -> None:
        """Where to look in, for whoever starts another one."""
        os.pwrite(self._handle, address.encode(), 0)

    def give_back(self) -> None:
        os.ftruncate(self._handle, 0)
        os.close(self._handle)
