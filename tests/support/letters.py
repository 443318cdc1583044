"""Letters that wait to be sent."""

from __future__ import annotations

import json

from sqlalchemy import select

from synkro.extensions import vault
from synkro.models import StoredLetter
from synkro.tenancy import db, system_scope


def stored() -> list[dict[str, str]]:
    """The letters on their way, opened."""
    with system_scope("test: letters"):
        rows = db.session.execute(select(StoredLetter).order_by(StoredLetter.created_at)).scalars()
        return [json.loads(vault().open_bytes(row.sealed or b"", f"letter|{row.id}")) for row in rows]
