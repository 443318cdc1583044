"""The wall between companies, asked of PostgreSQL itself: its catalogue, its answers, its refusals."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg import conninfo
from sqlalchemy import create_engine, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from synkro import embedded
from synkro.models import Automation, IntegrationConfig, JobRun, JobStep, Prompt, Tenant
from synkro.models.states import RunKind
from synkro.services import audit
from synkro.tenancy import Base, apply_scope, current_tenant_id, db, system_scope, tenant_scope

ENTRY_TABLES = {"credentials", "letters", "one_time_links", "recovery_codes", "sessions"}
"""Open to synkro_system only."""
OPEN_TABLES = {"alembic_version", "system_marks", "tenants", "users"} | ENTRY_TABLES
"""Read before a tenant is known."""
OWN = "(tenant_id = (current_setting('app.tenant_id'::text))::uuid)"


@pytest.fixture
def catalogue(app: Flask, engines: embedded.Engines) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(engines.superuser_url, dbname="synkro") as connection:
        yield connection


def tenant_tables() -> list[str]:
    return sorted(
        name for name, table in Base.metadata.tables.items() if "tenant_id" in table.columns if name != "users"
    )


def test_tables_without_the_wall_are_exactly_these(catalogue: psycopg.Connection[Any]) -> None:
    rows = catalogue.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'm', 'f')"
        " and not (relrowsecurity and relforcerowsecurity)"
    )
    assert {row[0] for row in rows} == OPEN_TABLES


def test_no_view_looks_over_the_wall(catalogue: psycopg.Connection[Any]) -> None:
    rows = catalogue.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')"
    )
    assert not rows.fetchall()


def test_no_function_steps_over_the_wall(catalogue: psycopg.Connection[Any]) -> None:
    rows = catalogue.execute("select proname from pg_proc where prosecdef and pronamespace = 'public'::regnamespace")
    assert not rows.fetchall()


@pytest.mark.parametrize("table", tenant_tables())
def test_a_table_has_exactly_its_two_policies(catalogue: psycopg.Connection[Any], table: str) -> None:
    rows = catalogue.execute(
        "select policyname, roles::text[], cmd, permissive, qual, with_check from pg_policies where tablename = %s",
        [table],
    )
    assert sorted(rows.fetchall()) == [
        ("every_tenant", ["synkro_system"], "ALL", "PERMISSIVE", "true", "true"),
        ("own_tenant", ["synkro_app"], "ALL", "PERMISSIVE", OWN, OWN),
    ]


def test_every_row_has_its_tenant(catalogue: psycopg.Connection[Any]) -> None:
    """Staff have no company (users), and an act may be nobody's: a refused sign-in (audit_log)."""
    rows = catalogue.execute(
        "select table_name from information_schema.columns"
        " where table_schema = 'public' and column_name = 'tenant_id' and is_nullable = 'YES'"
    )
    assert {row[0] for row in rows} == {"audit_log", "users"}


def test_a_child_points_at_its_parent_together_with_the_tenant(catalogue: psycopg.Connection[Any]) -> None:
    rows = catalogue.execute(
        "select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint"
        " where contype = 'f' and connamespace = 'public'::regnamespace"
    ).fetchall()
    alone = [
        f"{table}: {rule}" for table, rule in rows if not re.search(r"REFERENCES (tenants|users)\(|\(tenant_id, ", rule)
    ]
    assert rows
    assert not alone


def test_the_roles_can_not_step_over_the_wall(catalogue: psycopg.Connection[Any]) -> None:
    rows = catalogue.execute(
        "select rolname, rolcanlogin from pg_roles where rolname like 'synkro%'"
        " and not (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)"
    )
    assert dict(rows.fetchall()) == {"synkro_app": True, "synkro_owner": True, "synkro_system": False}


def test_the_app_does_not_own_a_table(catalogue: psycopg.Connection[Any]) -> None:
    rows = catalogue.execute("select distinct tableowner from pg_tables where schemaname = 'public'")
    assert rows.fetchall() == [("synkro_owner",)]


@pytest.mark.parametrize("table", tenant_tables())
def test_without_a_scope_a_query_raises(app: Flask, table: str) -> None:
    with pytest.raises(DBAPIError, match=r"app\.tenant_id|invalid input syntax for type uuid"):
        db.session.execute(text(f"select * from {table}"))


@pytest.mark.parametrize("table", tenant_tables())
def test_after_a_scope_on_the_same_connection_a_query_raises(app: Flask, tenant: Tenant, table: str) -> None:
    with db.engine.connect() as connection:
        with connection.begin():
            apply_scope(connection, tenant.id)
            connection.execute(text(f"select * from {table}"))
        with pytest.raises(DBAPIError, match="invalid input syntax for type uuid"), connection.begin():
            connection.execute(text(f"select * from {table}"))


def test_the_system_role_does_not_outlive_its_transaction(app: Flask) -> None:
    with db.engine.connect() as connection:
        with connection.begin():
            connection.execute(text("set local role synkro_system"))
        assert connection.execute(text("select current_user")).scalar_one() == "synkro_app"


def test_a_scope_does_not_leak_to_the_next_user_of_the_pool(app: Flask, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        assert db.session.execute(select(Automation)).scalar_one()
        pid = db.session.execute(text("select pg_backend_pid()")).scalar_one()
    assert db.session.execute(text("select pg_backend_pid()")).scalar_one() == pid
    assert not db.session.execute(text("select current_setting('app.tenant_id', true)")).scalar_one()


def test_a_scope_ends_with_its_block_even_by_an_error(app: Flask, tenant: Tenant) -> None:
    with pytest.raises(KeyError), tenant_scope(tenant.id):
        raise KeyError
    assert current_tenant_id() is None


def test_a_scope_ends_although_its_connection_broke(app: Flask, tenant: Tenant, engines: embedded.Engines) -> None:
    with tenant_scope(tenant.id):
        pid = db.session.execute(text("select pg_backend_pid()")).scalar_one()
        with psycopg.connect(engines.superuser_url, autocommit=True) as connection:
            connection.execute("select pg_terminate_backend(%s, 5000)", [pid])
    assert current_tenant_id() is None
    with tenant_scope(tenant.id):
        assert db.session.execute(select(Automation)).scalar_one()


def a_prompt(tenant_id: uuid.UUID, body: str = "text") -> Prompt:
    return Prompt(tenant_id=tenant_id, version=1, body=body)


@pytest.fixture
def prompt(app: Flask, tenant: Tenant) -> uuid.UUID:
    with tenant_scope(tenant.id):
        db.session.add(row := a_prompt(tenant.id))
        db.session.commit()
        return row.id


def test_another_company_sees_nothing(prompt: uuid.UUID, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant.id):
        assert db.session.get(Prompt, prompt) is None
        assert db.session.execute(text("select count(*) from prompts")).scalar_one() == 0


def test_another_company_changes_nothing(prompt: uuid.UUID, tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant.id):
        touched: Any = db.session.execute(text("update prompts set body = 'theirs'"))
        deleted: Any = db.session.execute(text("delete from prompts"))
        db.session.commit()
        assert touched.rowcount == 0
        assert deleted.rowcount == 0
    with tenant_scope(tenant.id):
        assert db.session.get_one(Prompt, prompt).body == "text"


def test_a_row_cannot_be_written_for_another_company(app: Flask, tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant.id):
        db.session.add(a_prompt(tenant.id))
        with pytest.raises(ProgrammingError, match="row-level security"):
            db.session.commit()
        db.session.rollback()


def test_a_row_cannot_be_given_to_another_company(prompt: uuid.UUID, tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant.id), pytest.raises(ProgrammingError, match="row-level security"):
        db.session.execute(text("update prompts set tenant_id = :to"), {"to": other_tenant.id})


def test_a_connection_without_a_session_sees_no_more(prompt: uuid.UUID, other_tenant: Tenant) -> None:
    with db.engine.begin() as connection:
        apply_scope(connection, other_tenant.id)
        assert connection.execute(text("select count(*) from prompts")).scalar_one() == 0
        with pytest.raises(ProgrammingError, match="row-level security"):
            connection.execute(
                text(
                    "insert into prompts (id, tenant_id, version, body)"
                    " select :id, id, 9, '' from tenants where slug = 'alfa'"
                ),
                {"id": uuid.uuid4()},
            )


def test_the_system_scope_sees_all(prompt: uuid.UUID, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant.id):
        db.session.add(a_prompt(other_tenant.id))
        db.session.commit()
    with system_scope("test"):
        assert db.session.execute(text("select count(*) from prompts")).scalar_one() == 2


def test_a_child_cannot_hang_on_another_companys_parent(app: Flask, tenant: Tenant, other_tenant: Tenant) -> None:
    run = JobRun(
        tenant_id=tenant.id, kind=RunKind.MANUAL, window_start=tenant.created_at, window_end=tenant.created_at,
        timezone="UTC", language="ru",
    )  # fmt: skip
    with tenant_scope(tenant.id):
        db.session.add(run)
        db.session.commit()
        run_id = run.id
    with tenant_scope(other_tenant.id):
        db.session.add(JobStep(tenant_id=other_tenant.id, run_id=run_id, n=1, key="fetch_amocrm"))
        with pytest.raises(IntegrityError, match="fk_job_steps_tenant_id_run_id"):
            db.session.commit()
        db.session.rollback()


def test_each_scope_has_a_session_of_its_own(prompt: uuid.UUID, tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        mine = db.session.get_one(Prompt, prompt)
        with tenant_scope(other_tenant.id):
            assert db.session.get(Prompt, prompt) is None
            assert mine not in db.session
        assert db.session.get(Prompt, prompt) is mine
        with tenant_scope(tenant.id):
            assert db.session.get_one(Prompt, prompt) is not mine


def test_an_inner_scope_gives_the_outer_one_back(app: Flask, tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        with tenant_scope(other_tenant.id):
            assert current_tenant_id() == other_tenant.id
        with system_scope("test"):
            assert current_tenant_id() is None
        assert current_tenant_id() == tenant.id
        assert db.session.execute(select(Automation)).scalar_one().tenant_id == tenant.id


@pytest.fixture
def noted(app: Flask, tenant: Tenant) -> Tenant:
    with tenant_scope(tenant.id):
        audit.record("something")
        db.session.commit()
    return tenant


@pytest.mark.parametrize("change", ["update audit_log set act = 'x'", "delete from audit_log", "truncate audit_log"])
def test_what_was_noted_is_not_changed(noted: Tenant, change: str) -> None:
    with tenant_scope(noted.id), pytest.raises(ProgrammingError, match="permission denied"):
        db.session.execute(text(change))
    with system_scope("test"), pytest.raises(ProgrammingError, match="permission denied"):
        db.session.execute(text(change))


@pytest.mark.parametrize(
    "statement",
    [
        "create table mine (id int)",
        "create temporary table mine (id int)",
        "create schema mine",
        "create function mine() returns int language sql as 'select 1'",
        "alter table prompts disable row level security",
        "alter table prompts no force row level security",
        "drop policy own_tenant on prompts",
        "create policy mine on prompts using (true)",
        "truncate prompts",
        "set role synkro_owner",
        "alter role synkro_app bypassrls",
        "update alembic_version set version_num = 'x'",
    ],
)
def test_the_app_cannot_take_the_wall_down(app: Flask, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        db.session.execute(text(statement))


def test_row_security_cannot_be_switched_off(prompt: uuid.UUID, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant.id):
        db.session.execute(text("set local row_security = off"))
        with pytest.raises(DBAPIError, match="row-level security"):
            db.session.execute(select(Prompt)).all()


def test_sealed_settings_of_another_company_are_out_of_reach(app: Flask, tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        db.session.add(IntegrationConfig(tenant_id=tenant.id, kind="radist", settings={}, secrets={"api_key": "v1.x"}))
        db.session.commit()
    with tenant_scope(other_tenant.id):
        assert db.session.execute(select(IntegrationConfig)).first() is None


def test_the_program_asks_for_own_rows_only(engines: embedded.Engines, tenant: Tenant, other_tenant: Tenant) -> None:
    """With the wall of PostgreSQL taken down: the superuser is above it."""
    url = f"postgresql+psycopg://{conninfo.conninfo_to_dict(engines.superuser_url)['user']}:@/synkro"
    folder = conninfo.conninfo_to_dict(engines.superuser_url)["host"]
    superuser = create_engine(url, connect_args={"host": folder})
    with tenant_scope(tenant.id), Session(superuser) as session:
        assert session.scalars(select(Automation)).one().tenant_id == tenant.id
        assert session.execute(update(Automation).values(boundary_hour=7)).rowcount == 1  # type: ignore[attr-defined]
    superuser.dispose()
