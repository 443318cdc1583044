"""Sessions that are not what they were."""

from __future__ import annotations

from sqlalchemy import text

from synkro.tenancy import db, system_scope


def stale() -> None:
    """Everybody typed the password an hour ago."""
    with system_scope("test: sessions"):
        db.session.execute(text("update sessions set confirmed_at = now() - interval '1 hour'"))
        db.session.commit()
