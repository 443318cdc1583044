"""Proof of the audit: every link of every chain is computed anew and compared with the heads that were kept."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import func, select

from synkro.models import AuditLog, Tenant
from synkro.models.audit import PERSONAL, STAFF_CHAIN
from synkro.services import audit
from synkro.services.audit.heads import CHAIN, Kept
from synkro.tenancy import db, system_scope

AT_ONCE = 1_000
FAULTS = {
    "missing": "is missing",
    "edited": "was changed after it was written",
    "relinked": "does not follow from the one before it",
    "other_head": "is not the one that was kept outside of the database",
    "cut": "and what followed it was cut off: a later link was kept outside of the database",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The first fault of a chain. seq: the link that shows it. code: a key of FAULTS."""

    seq: int
    code: str


@dataclass(slots=True)
class Chain:
    """emptied: rows of a deleted company whose text is gone while their place in the chain is proven."""

    chain: uuid.UUID
    rows: int = 0
    emptied: int = 0
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """unchained: rows from before the chain, for which nothing is proven."""

    chains: list[Chain]
    unchained: int
    kept: Kept

    @property
    def in_order(self) -> bool:
        return not any(chain.finding for chain in self.chains)

    @property
    def is_key_wrong(self) -> bool:
        """No chain begins with a link that fits our key, while what the rows say is as it was written."""
        filled = [chain.finding for chain in self.chains if chain.rows]
        return bool(filled) and all(finding == Finding(1, "relinked") for finding in filled)


def verify(kept: Kept) -> Verdict:
    """Read kept before: what is kept then, is here now. The rows flow through; none is held."""
    with system_scope("staff audit: every link of every chain is proven"):
        chained = AuditLog.seq.is_not(None)
        statement = select(AuditLog).where(chained).order_by(CHAIN, AuditLog.seq)
        rows = db.session.execute(statement.execution_options(yield_per=AT_ONCE)).scalars()
        chains = [
            _walk(chain, links, kept.chains.get(chain, {})) for chain, links in groupby(rows, lambda row: row.chain)
        ]
        unchained = db.session.execute(select(func.count()).where(AuditLog.seq.is_(None))).scalar_one()
    chains += _gone({chain.chain for chain in chains}, kept)
    return Verdict(chains, unchained, kept)


def _walk(chain: uuid.UUID, links: Iterable[AuditLog], kept: Mapping[int, str]) -> Chain:
    found, seq, mac, gone = Chain(chain), 0, "", False
    for row in links:
        found.rows += 1
        if found.finding:
            continue  # behind a fault nothing can be said of the rest
        whole = row.digest == audit.digest_of(row)
        if not whole and _is_emptied(row):
            gone = gone or _is_deleted(chain)
            whole, found.emptied = gone, found.emptied + gone
        found.finding = _fault(row, seq + 1, mac, kept, whole=whole)
        seq, mac = row.seq or 0, row.mac or ""
    if not found.finding and any(later > seq for later in kept):
        found.finding = Finding(seq + 1, "cut")
    return found


def _fault(row: AuditLog, seq: int, mac: str, kept: Mapping[int, str], *, whole: bool) -> Finding | None:
    """seq: the number that is due. mac: of the link before."""
    if row.seq != seq:
        return Finding(seq, "missing")
    if not whole:
        return Finding(seq, "edited")
    if row.mac != audit.mac_of(row, mac):
        return Finding(seq, "relinked")
    return Finding(seq, "other_head") if kept.get(seq, row.mac) != row.mac else None


def _is_emptied(row: AuditLog) -> bool:
    return all(getattr(row, name) == empty for name, empty in PERSONAL.items())


def _is_deleted(chain: uuid.UUID) -> bool:
    """Asked after the row was read, so that a company that is being deleted is gone by then."""
    if chain == STAFF_CHAIN:
        return False
    return db.session.execute(select(Tenant.id).where(Tenant.id == chain)).first() is None


def _gone(seen: set[uuid.UUID], kept: Kept) -> Iterator[Chain]:
    """Chains of which only the kept head is left."""
    return (Chain(chain, finding=Finding(1, "cut")) for chain in kept.chains if chain not in seen)
