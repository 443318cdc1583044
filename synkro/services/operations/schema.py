"""Whether this program may work on the tables in the database: of its own release, of an older or of a newer one.

Each migration says SERVES, the oldest revision whose code works on the tables that it leaves, and PHASE: "expand" takes
nothing away from older code, "contract" may. What the tables serve is kept beside them, so that an older program can
read it without knowing the newer migration.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from synkro.models import SystemMark
from synkro.tenancy import db

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"
MARK = "schema"
"""Its value: the revision of the tables, and the oldest one that they serve."""


class Fit(StrEnum):
    """AHEAD: of a newer release, and serves this one. FOREIGN: unknown here, and does not say that it serves us."""

    CURRENT = "current"
    AHEAD = "ahead"
    BEHIND = "behind"
    FOREIGN = "foreign"

    @property
    def serves(self) -> bool:
        return self in (Fit.CURRENT, Fit.AHEAD)


class NewerSchema(Exception):
    """There is nothing to migrate: the tables are of a release that this program does not know."""

    def __init__(self, revision: str, *, serves: bool) -> None:
        does = "still serves" if serves else "does not serve"
        super().__init__(
            f"The schema in the database ({revision}) is of another release and {does} this one (newer_schema)"
        )
        self.serves = serves


def fit() -> Fit:
    with db.engine.connect() as connection:
        return _fit(connection, _revision(connection))


def refuse_newer(connection: Connection) -> None:
    """Raises NewerSchema."""
    revision = _revision(connection)
    found = _fit(connection, revision)
    if revision is not None and found in (Fit.AHEAD, Fit.FOREIGN):
        raise NewerSchema(revision, serves=found.serves)


def keep(ctx: MigrationContext, heads: set[str], **_: Any) -> None:
    """Alembic's on_version_apply: within the transaction of each migration, so that no kill comes between the two.

    The caller commits.
    """
    for revision in heads:  # none after the last downgrade, which takes the table away, too
        value = f"{revision} {_scripts().get_revision(revision).module.SERVES}"
        statement = insert(SystemMark).values(name=MARK, value=value, at=func.now())
        changes = {"value": statement.excluded.value, "at": statement.excluded.at}
        ctx.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changes))


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _fit(connection: Connection, revision: str | None) -> Fit:
    known = {one.revision for one in _scripts().walk_revisions()}
    if revision == _scripts().get_current_head():
        return Fit.CURRENT
    if revision is None or revision in known:
        return Fit.BEHIND
    mark = connection.execute(select(SystemMark.value).where(SystemMark.name == MARK)).scalar_one_or_none()
    # a mark of another revision speaks for other tables
    told, _, oldest = (mark or "").partition(" ")
    return Fit.AHEAD if told == revision and oldest in known else Fit.FOREIGN


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))
