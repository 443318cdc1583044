"""Where the engines of one VAR_DIR live: their folders, their sockets, the account they run as, the lock."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import re
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from synkro.embedded.errors import EngineError

SYSTEM_USER = "pgserver"
# The kernel's limit for a socket's path is 104 (macOS) or 108 bytes (Linux); "/.s.PGSQL.5432.lock" follows the folder.
LONGEST_SOCKET_FOLDER = 80
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")
# A fixed folder and not TMPDIR: every process must find the same socket, whatever its surroundings.
SHORT_ROOT = Path("/tmp")  # noqa: S108 - the folder made in it is private and its owner is checked


@dataclass(frozen=True)
class Account:
    """The system account that engines run as when the caller is root, because PostgreSQL refuses root."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Folders:
    """The folders of one VAR_DIR; `var` is absolute and free of symbolic links."""

    var: Path
    sockets: Path

    @classmethod
    def of(cls, var: Path) -> Folders:
        """The place of this VAR_DIR; makes nothing on the disk."""
        whole = var.resolve()
        return cls(whole, _socket_folder(whole))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the one lock of this VAR_DIR among all processes; makes VAR_DIR when it is missing."""
        try:
            self.var.mkdir(parents=True, exist_ok=True)
            # Read only: then the file may belong to another account that came first.
            handle = os.open(self.var / "engines.lock", os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            raise EngineError(f"Cannot use the folder {self.var}: {error}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def account(self) -> Account | None:
        """Who runs the engines: None is the caller; for root, the owner of the data or of VAR_DIR, else `pgserver`."""
        if os.geteuid() != 0:
            return None
        for folder in (self.var / "postgres", self.var):
            if folder.exists() and (owner := folder.stat()).st_uid != 0:
                return Account(owner.st_uid, owner.st_gid)
        return _system_account()

    def share(self, folder: Path) -> None:
        """Give a folder inside VAR_DIR to the owner of VAR_DIR, who may be another than the root that made it."""
        if os.geteuid() == 0:
            owner = self.var.stat()
            os.chown(folder, owner.st_uid, owner.st_gid, follow_symlinks=False)


def make_private(folder: Path, account: Account | None) -> None:
    """Make a folder that only the engines' account (and root) can enter.

    Raises EngineError when the name is taken by something that is not a folder of that account.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    seen = folder.lstat()
    uid = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid not in {uid, os.geteuid()}:
        raise EngineError(f"{folder} is not a folder of the account {uid} that runs the embedded engines")
    give(folder, account)
    if stat.S_IMODE(seen.st_mode) != 0o700:
        folder.chmod(0o700)


def give(target: Path | int, account: Account | None) -> None:
    """Hand a file or folder (its path or an open handle) over to the engines' account."""
    if account is None:
        return
    if isinstance(target, int):
        os.fchown(target, account.uid, account.gid)
    else:
        # Root must never be led to a file elsewhere by a link that the account laid.
        os.chown(target, account.uid, account.gid, follow_symlinks=False)


def open_way(path: Path, account: Account | None) -> None:
    """Let the engines' account pass through the folders above `path`: adds the right to enter, never to list."""
    if account is None:
        return
    for folder in path.parents:
        seen = folder.stat()
        if seen.st_uid != account.uid and not seen.st_mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(seen.st_mode) | stat.S_IXGRP | stat.S_IXOTH)


def _socket_folder(var: Path) -> Path:
    """A folder inside VAR_DIR, or a short private one when the path is too long or needs quoting in an address."""
    near = var / "run"
    if len(str(near)) <= LONGEST_SOCKET_FOLDER and PLAIN_PATH.fullmatch(str(near)):
        return near
    return SHORT_ROOT / f"synkro-{hashlib.sha256(os.fsencode(var)).hexdigest()[:16]}"


def _system_account() -> Account:
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        entry = _new_system_account()
    return Account(entry.pw_uid, entry.pw_gid)


def _new_system_account() -> pwd.struct_passwd:
    made = subprocess.run(
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    try:
        # Looked up whatever useradd said: another process may have made the account first.
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError as error:
        raise EngineError(f"Cannot make the system user {SYSTEM_USER}: {made.stderr.strip()}") from error
