"""The wall between companies: whose rows PostgreSQL lets us see is set here, for every transaction."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from flask.globals import app_ctx
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, ForeignKey, MetaData, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    ORMExecuteState,
    Session,
    SessionTransaction,
    declared_attr,
    mapped_column,
    with_loader_criteria,
)


@dataclass(frozen=True, eq=False)
class Scope:
    """Compared by identity, since each has a session of its own. tenant_id None: every tenant, for what reason says."""

    tenant_id: uuid.UUID | None
    reason: str


_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class TenantRow:
    """A row that belongs to a tenant. Every table that has it stands under forced row-level security."""

    @declared_attr
    def tenant_id(cls) -> Mapped[uuid.UUID]:  # noqa: N805
        return mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))


def _session_key() -> tuple[int, Scope | None]:
    """An object that was read for one tenant is never at hand in another scope: each scope has its own session."""
    return id(app_ctx._get_current_object()), _scope.get()  # type: ignore[attr-defined]  # noqa: SLF001


db = SQLAlchemy(model_class=Base, session_options={"scopefunc": _session_key, "expire_on_commit": False})


@contextmanager
def tenant_scope(tenant_id: uuid.UUID) -> Iterator[None]:
    """Inside, queries see the rows of this tenant only. Outside of any scope a query on tenant data raises."""
    with _enter(Scope(tenant_id, "tenant")):
        yield


@contextmanager
def system_scope(reason: str) -> Iterator[None]:
    """Inside, queries see all tenants. For the few callers that a test lists; reason is for the reader of the code."""
    with _enter(Scope(None, reason)):
        yield


@contextmanager
def _enter(scope: Scope) -> Iterator[None]:
    token = _scope.set(scope)
    try:
        yield
    finally:
        try:
            _close_session()
        finally:
            _scope.reset(token)  # whatever happens: a scope must not outlive its block


def _close_session() -> None:
    try:
        db.session.remove()
    except OperationalError:
        # the connection broke: nothing is left to roll back, and the session has let go of it
        db.session.remove()


def end_reading() -> None:
    """Give the connection back, so that none is held while a vendor or a person is waited for.

    What was read stays readable: a rollback would mark it as stale and read it again at the next touch.
    """
    db.session.commit()


def current_tenant_id() -> uuid.UUID | None:
    scope = _scope.get()
    return scope.tenant_id if scope else None


def apply_scope(connection: Connection, tenant_id: uuid.UUID) -> None:
    """For the few places that use a connection without a session."""
    connection.execute(text("select set_config('app.tenant_id', :id, true)"), {"id": str(tenant_id)})


@event.listens_for(Session, "after_begin")
def _tell_the_database(_session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    scope = _scope.get()
    if scope is None:
        return
    if scope.tenant_id is None:
        connection.execute(text("set local role synkro_system"))
    else:
        apply_scope(connection, scope.tenant_id)


@event.listens_for(Session, "do_orm_execute")
def _ask_for_own_rows(state: ORMExecuteState) -> None:
    """A second wall before that of PostgreSQL: in a tenant's scope every query through models names the tenant."""
    tenant_id = current_tenant_id()
    if tenant_id is not None and not state.is_column_load:
        own = with_loader_criteria(TenantRow, lambda row: row.tenant_id == tenant_id, include_aliases=True)
        state.statement = state.statement.options(own)
