"""The last link of every chain, kept outside of the database: without it nobody would miss a tail that was cut off."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from synkro.extensions import settings
from synkro.infra import clock
from synkro.models import AuditLog, SystemMark
from synkro.models.audit import STAFF_CHAIN
from synkro.tenancy import db, system_scope

log = logging.getLogger(__name__)

MARK = "audit_heads"
CHAIN = func.coalesce(AuditLog.tenant_id, STAFF_CHAIN)


@dataclass(frozen=True, slots=True)
class Head:
    chain: uuid.UUID
    seq: int
    mac: str

    def line(self, at: datetime) -> str:
        return json.dumps({"at": at.isoformat(), "chain": str(self.chain), "seq": self.seq, "mac": self.mac})


@dataclass(slots=True)
class Kept:
    """What was once a head: chain -> seq -> mac, "" where two lines contradict each other. unreadable: torn lines."""

    chains: dict[uuid.UUID, dict[int, str]] = field(default_factory=dict)
    count: int = 0
    unreadable: int = 0

    def add(self, line: str) -> None:
        try:
            said = json.loads(line)
            chain, seq, mac = uuid.UUID(said["chain"]), int(said["seq"]), str(said["mac"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self.unreadable += 1
            return
        links = self.chains.setdefault(chain, {})
        links[seq] = mac if links.get(seq, mac) == mac else ""
        self.count += 1


def current() -> list[Head]:
    with system_scope("audit: the last link of every chain"):
        return _current()


def _current() -> list[Head]:
    chain = CHAIN.label("chain")
    statement = select(chain, AuditLog.seq, AuditLog.mac).ext(distinct_on(chain)).where(AuditLog.seq.is_not(None))
    found = db.session.execute(statement.order_by(chain, AuditLog.seq.desc()))
    return [Head(row.chain, row.seq, row.mac) for row in found]


def fingerprint(heads: Iterable[Head]) -> str:
    """One hash over all heads, in the order of their chains."""
    said = "".join(f"{head.chain} {head.seq} {head.mac}\n" for head in sorted(heads, key=lambda head: str(head.chain)))
    return hashlib.sha256(said.encode()).hexdigest()


def path() -> Path:
    return settings().var_dir / "audit" / "heads.jsonl"


def read(*files: Path) -> Kept:
    """Files that are not there count as empty."""
    kept = Kept()
    for file in files:
        if file.exists():
            with file.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    if line.strip():
                        kept.add(line)
    return kept


def anchor() -> None:
    """Once a day, however many ticks there are: the row of the mark is the lock, and it stays only with the lines."""
    now = clock.now()
    with system_scope("audit: the last link of every chain is kept outside of the database"):
        mark = db.session.get(SystemMark, MARK)
        if (mark and mark.value >= _day(now)) or not _is_ours(now):
            return
        heads = _current()
        try:
            _append(heads, now)
        except OSError as error:
            log.error("audit heads not kept", extra={"fields": {"error": type(error).__name__}})
            return
        db.session.commit()
    staff = next((head for head in heads if head.chain == STAFF_CHAIN), Head(STAFF_CHAIN, 0, ""))
    told = {"seq": staff.seq, "mac": staff.mac, "chains": len(heads), "sha256": fingerprint(heads)}
    log.info("audit heads", extra={"fields": told})


def _day(now: datetime) -> str:
    return now.date().isoformat()


def _is_ours(now: datetime) -> bool:
    """Waits for another tick that is at it, and then finds that nothing is left to do."""
    values = {"value": _day(now), "at": now}
    statement = insert(SystemMark).values(name=MARK, **values)
    statement = statement.on_conflict_do_update(
        index_elements=["name"], set_=values, where=SystemMark.value < statement.excluded.value
    )
    return db.session.execute(statement.returning(SystemMark.name)).first() is not None


def _append(heads: Iterable[Head], now: datetime) -> None:
    file = path()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "a+b") as lines:
        said = "".join(f"{head.line(now)}\n" for head in heads).encode()
        lines.write(said if _ends_whole(lines) else b"\n" + said)
        lines.flush()
        os.fsync(lines.fileno())


def _ends_whole(lines: BinaryIO) -> bool:
    """False after a write that a crash or a full disk has torn."""
    if lines.seek(0, os.SEEK_END) == 0:
        return True
    lines.seek(-1, os.SEEK_END)
    return lines.read(1) == b"\n"
