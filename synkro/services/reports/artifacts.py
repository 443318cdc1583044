"""What a step hands to the next: pages of JSON rows, sealed and compressed, readable for this tenant only."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, exists, func, select, text
from sqlalchemy.dialects.postgresql import insert

from synkro.extensions import vault
from synkro.infra import clock
from synkro.models import Artifact
from synkro.models.plan import StepKey
from synkro.services.shared.sealed import SealedBytes
from synkro.tenancy import current_tenant_id, db

DIRECTORY = "directory"
"""The page that a run hands over first: retention takes the oldest first, so while it is here all others are."""
FINAL = "final"
"""What goes to the group: all that the last step reads."""


@dataclass(frozen=True, slots=True)
class ArtifactPage:
    """One artifact. meta: cursors and counts, no text of customers (it is not sealed)."""

    seq: int
    rows: list[Any]
    meta: dict[str, Any]


class Damaged(Exception):
    """What was stored is not what was written."""


def put(run_id: uuid.UUID, name: str, seq: int, rows: list[Any], meta: dict[str, Any]) -> None:
    """Write a page, replacing one of the same number. Needs the claim. The caller commits."""
    data = _utf8(json.dumps(rows, ensure_ascii=False, separators=(",", ":")))
    values = {
        "tenant_id": current_tenant_id(),
        "run_id": run_id,
        "name": name,
        "seq": seq,
        "payload": vault().seal_bytes(data, _context(current_tenant_id(), run_id, name, seq)),
        "rows": len(rows),
        "sha256": hashlib.sha256(data).hexdigest(),
        "meta": meta,
    }
    fresh = {key: values[key] for key in ("payload", "rows", "sha256", "meta")} | {"created_at": func.now()}
    statement = insert(Artifact).values(id=uuid.uuid4(), **values)
    db.session.execute(statement.on_conflict_do_update(index_elements=["run_id", "name", "seq"], set_=fresh))


def pages(run_id: uuid.UUID, name: str, after: int = -1) -> Iterator[ArtifactPage]:
    """The pages in order, one in memory at a time, each read in a transaction of its own."""
    while (page := _first(run_id, name, after)) is not None:
        yield page
        after = page.seq


def get(run_id: uuid.UUID, name: str, seq: int = 0) -> ArtifactPage | None:
    page = _first(run_id, name, seq - 1)
    return page if page is not None and page.seq == seq else None


def last_meta(run_id: uuid.UUID, name: str) -> tuple[int, dict[str, Any]] | None:
    """(seq, meta) of the newest page without opening it: where a resumed fetch goes on."""
    statement = select(Artifact.seq, Artifact.meta).where(Artifact.run_id == run_id, Artifact.name == name)
    row = db.session.execute(statement.order_by(Artifact.seq.desc()).limit(1)).one_or_none()
    db.session.rollback()
    return (row.seq, row.meta) if row else None


def count(run_id: uuid.UUID, name: str) -> int:
    """Rows over all pages of this name."""
    total = db.session.execute(
        text("select coalesce(sum(rows), 0) from artifacts where run_id = :run and name = :name"),
        {"run": run_id, "name": name},
    ).scalar_one()
    db.session.rollback()
    return int(total)


def remain(run_id: uuid.UUID, key: str) -> bool:
    """Whether what a step reads is still here: retention takes it away one day, and the oldest first."""
    if key == StepKey.FETCH_AMOCRM:
        return True
    needed = FINAL if key == StepKey.NOTIFY_TELEGRAM else DIRECTORY
    return bool(db.session.execute(select(exists().where(Artifact.run_id == run_id, Artifact.name == needed))).scalar())


def forget(run_id: uuid.UUID, names: tuple[str, ...], first: int = 0) -> None:
    """Remove pages that a step is about to make anew, from a number on. The caller commits."""
    old = (Artifact.run_id == run_id, Artifact.name.in_(names), Artifact.seq >= first)
    db.session.execute(delete(Artifact).where(*old))


def purge(days: int, most: int = 2_000) -> int:
    """Delete what retention has passed, some at a time, the oldest first. Needs the system scope."""
    old = select(Artifact.id).where(Artifact.created_at < clock.now() - timedelta(days=days))
    old = old.order_by(Artifact.created_at).limit(most)
    deleted = db.session.execute(delete(Artifact).where(Artifact.id.in_(old))).rowcount  # type: ignore[attr-defined]
    db.session.commit()
    return int(deleted)


def _utf8(written: str) -> bytes:
    """Vendors' JSON may hold half an emoji, which UTF-8 cannot carry: two halves are joined, a lone one is U+FFFD."""
    try:
        return written.encode()
    except UnicodeEncodeError:
        return written.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _first(run_id: uuid.UUID, name: str, after: int) -> ArtifactPage | None:
    statement = (
        select(Artifact.seq, Artifact.payload, Artifact.sha256, Artifact.meta)
        .where(Artifact.run_id == run_id, Artifact.name == name, Artifact.seq > after)
        .order_by(Artifact.seq)
        .limit(1)
    )
    row = db.session.execute(statement).one_or_none()
    db.session.rollback()
    if row is None:
        return None
    data = vault().open_bytes(row.payload, _context(current_tenant_id(), run_id, name, row.seq))
    if hashlib.sha256(data).hexdigest() != row.sha256:
        raise Damaged(name)
    return ArtifactPage(row.seq, json.loads(data), row.meta)


def _context(tenant_id: uuid.UUID | None, run_id: uuid.UUID, name: str, seq: int) -> str:
    return f"artifact|{tenant_id}|{run_id}|{name}|{seq}"


SEALED = SealedBytes(
    "pages between steps",
    Artifact.payload,
    (Artifact.tenant_id, Artifact.run_id, Artifact.name, Artifact.seq),
    _context,
)
