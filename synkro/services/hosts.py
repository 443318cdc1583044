"""Hosts of a company's own that a connection may be made to: asked for by its people, agreed to by a super_admin."""

from __future__ import annotations

from sqlalchemy import select

from synkro.models import ApprovedHost
from synkro.tenancy import db


def approved(kind: str) -> frozenset[str]:
    """host:port of what staff have agreed to, for one service of the tenant in scope."""
    agreed = select(ApprovedHost.host).where(ApprovedHost.kind == kind, ApprovedHost.approved_at.is_not(None))
    return frozenset(db.session.execute(agreed).scalars())
