"""The tenant's own instructions to the model, in versions."""

from __future__ import annotations

from sqlalchemy import select

from synkro.models import Prompt
from synkro.tenancy import db, end_reading


def current() -> str:
    """The text in force; empty where the tenant has written none and the product's own is used."""
    statement = select(Prompt.body).order_by(Prompt.version.desc()).limit(1)
    body = db.session.execute(statement).scalar_one_or_none()
    end_reading()
    return body or ""
