"""How Alembic reaches the database: as the owner of the tables, never as the role that serves people."""

from __future__ import annotations

from alembic import context
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import NullPool, create_engine, text

from synkro.extensions import settings
from synkro.infra import stores
from synkro.services.operations import schema
from synkro.tenancy import Base

LOCK = 7_204_991
"""Two starts at once migrate one after the other. Given back with the connection, however that ends."""
LOCK_TIMEOUT = "10s"
"""Of a table. Another one: flask --app wsgi db -x lock_timeout=30s upgrade"""


def run() -> None:
    engine = create_engine(stores.owner_url(settings()), poolclass=NullPool)
    stores.start_when_needed(settings(), engine)
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": LOCK})
        # a migration must not hold up the site: it waits for tables only briefly, but for another migration to the end
        patience = context.get_x_argument(as_dictionary=True).get("lock_timeout", LOCK_TIMEOUT)
        connection.execute(text("select set_config('lock_timeout', :patience, false)"), {"patience": patience})
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_type=True,
            transaction_per_migration=True,
            on_version_apply=schema.keep,
        )
        try:
            with context.begin_transaction():
                context.run_migrations()
        except CommandError:  # "Can't locate revision ..." among others
            schema.refuse_newer(connection)
            raise


assert current_app, "run through: flask --app wsgi db ..."  # noqa: S101
run()
