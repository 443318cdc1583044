"""How Alembic reaches the database: as the owner of the tables, never as the role that serves people."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, text

from synkro.extensions import settings
from synkro.infra import stores
from synkro.tenancy import Base

LOCK = 7_204_991
"""Two starts at once migrate one after the other."""


def run() -> None:
    engine = create_engine(stores.owner_url(settings()))
    stores.start_when_needed(settings(), engine)
    with engine.connect() as connection:
        # a migration must not hold up the site: it waits for locks only briefly
        connection.execute(text("set lock_timeout = '10s'"))
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": LOCK})
        connection.commit()
        context.configure(
            connection=connection, target_metadata=Base.metadata, compare_type=True, transaction_per_migration=True
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.execute(text("select pg_advisory_unlock(:key)"), {"key": LOCK})
        connection.commit()
    engine.dispose()


assert current_app, "run through: flask --app wsgi db ..."  # noqa: S101
run()
