"""The least that a page with one indexed read can cost: a bare Flask view with one SELECT through SQLAlchemy."""

from __future__ import annotations

import os
import uuid

from flask import Flask
from sqlalchemy import create_engine, select

from synkro.models import Tenant

app = Flask(__name__)
engine = create_engine(os.environ["FLOOR_DATABASE_URL"])


@app.get("/<uuid:tenant_id>")
def name(tenant_id: uuid.UUID) -> str:
    with engine.connect() as connection:
        return str(connection.execute(select(Tenant.name).where(Tenant.id == tenant_id)).scalar_one())
