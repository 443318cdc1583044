from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import downgrade, upgrade
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from config import Config
from synkro import create_app, embedded
from synkro.extensions import settings
from synkro.tenancy import Base, db

ROOT = Path(__file__).resolve().parent.parent
FOLDER = str(ROOT / "migrations")
LOCK = 7_204_991
"""As in migrations/env.py."""
CATALOGUE = {
    "columns": "select table_name, column_name, data_type, is_nullable, column_default, is_identity"
    " from information_schema.columns where table_schema = 'public' and table_name <> 'alembic_version'",
    "rules": "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint"
    " where connamespace = 'public'::regnamespace and conrelid <> 0 and conname not like 'alembic%'",
    "indexes": "select indexdef from pg_indexes where schemaname = 'public' and tablename <> 'alembic_version'",
}


def connect(engines: embedded.Engines, name: str) -> psycopg.Connection[Any]:
    return psycopg.connect(engines.superuser_url, dbname=name, autocommit=True)


@pytest.fixture(scope="module")
def new_database(engines: embedded.Engines) -> Iterator[Callable[[str], tuple[str, str]]]:
    made = []

    def make(name: str) -> tuple[str, str]:
        made.append(name)
        return embedded.create_database(engines.superuser_url, name)

    yield make
    with connect(engines, "postgres") as connection:
        for name in made:
            connection.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="module")
def empty_app(whole_app: Flask, new_database: Callable[[str], tuple[str, str]]) -> Iterator[Flask]:
    """An application of its own on a database without a table."""
    url, owner_url = new_database("from_migrations")
    with app_on(replace(settings(), database_url=url, database_owner_url=owner_url)) as app:
        yield app


@contextmanager
def app_on(config: Config) -> Iterator[Flask]:
    kept = logging.getLogger().handlers[:]
    app = create_app(config)
    logging.getLogger().handlers[:] = kept
    with app.app_context():
        yield app
        db.engine.dispose()


def look(engines: embedded.Engines, name: str) -> dict[str, list[Any]]:
    with connect(engines, name) as connection:
        return {what: sorted(map(str, connection.execute(query))) for what, query in CATALOGUE.items()}  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def by_models(engines: embedded.Engines, new_database: Callable[[str], tuple[str, str]]) -> dict[str, list[Any]]:
    """What PostgreSQL's catalogue says when the tables are made straight from the models."""
    _, owner_url = new_database("from_models")
    engine = create_engine(owner_url)
    Base.metadata.create_all(engine)
    engine.dispose()
    return look(engines, "from_models")


@pytest.fixture
def migrated(empty_app: Flask) -> Flask:
    upgrade(directory=FOLDER)
    return empty_app


@pytest.mark.parametrize("what", CATALOGUE)
def test_the_migrations_make_what_the_models_say(
    migrated: Flask, engines: embedded.Engines, by_models: dict[str, list[Any]], what: str
) -> None:
    assert by_models[what]
    assert look(engines, "from_migrations")[what] == by_models[what]


def test_alembic_finds_nothing_to_do(migrated: Flask) -> None:
    engine = create_engine(migrated.extensions["synkro"][0].database_owner_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_down_to_nothing_and_up_again(
    migrated: Flask, engines: embedded.Engines, by_models: dict[str, list[Any]]
) -> None:
    downgrade(directory=FOLDER, revision="base")
    assert look(engines, "from_migrations") == {"columns": [], "rules": [], "indexes": []}
    upgrade(directory=FOLDER)
    assert look(engines, "from_migrations") == by_models


def test_a_second_upgrade_does_nothing(migrated: Flask, engines: embedded.Engines) -> None:
    before = look(engines, "from_migrations")
    upgrade(directory=FOLDER)
    assert look(engines, "from_migrations") == before


def test_the_lock_is_given_back(migrated: Flask, engines: embedded.Engines) -> None:
    with connect(engines, "from_migrations") as connection:
        assert connection.execute("select count(*) from pg_locks where locktype = 'advisory'").fetchone() == (0,)


def script() -> ScriptDirectory:
    return ScriptDirectory(FOLDER)


def test_there_is_one_head_and_one_way() -> None:
    assert len(script().get_heads()) == 1
    assert not [revision.revision for revision in script().walk_revisions() if revision.is_merge_point]


def test_files_are_named_by_their_number_and_purpose() -> None:
    revisions = list(reversed(list(script().walk_revisions())))
    assert [revision.revision for revision in revisions] == [f"{n:04}" for n in range(1, len(revisions) + 1)]
    for revision in revisions:
        assert re.fullmatch(rf"{revision.revision}_[a-z0-9_]+\.py", Path(revision.path).name)
    files = {path.name for path in (ROOT / "migrations" / "versions").glob("*.py")}
    assert files == {Path(revision.path).name for revision in revisions}


def test_each_migration_goes_both_ways() -> None:
    for revision in script().walk_revisions():
        assert callable(revision.module.upgrade)
        assert callable(revision.module.downgrade)


def test_ready_with_the_schema_of_this_code(client: FlaskClient) -> None:
    assert client.get("/ready").status_code == 200


def test_not_ready_without_any_schema(whole_app: Flask, new_database: Callable[[str], tuple[str, str]]) -> None:
    url, owner_url = new_database("without_schema")
    with app_on(replace(settings(), database_url=url, database_owner_url=owner_url)) as app:
        assert app.test_client().get("/ready").status_code == 503


def test_not_ready_and_not_broken_without_a_database(whole_app: Flask) -> None:
    away = "postgresql+psycopg://synkro_app@127.0.0.1:1/synkro?connect_timeout=2"
    with app_on(replace(settings(), database_url=away, database_owner_url=away)) as app:
        assert app.test_client().get("/ready").status_code == 503
        answer = app.test_client().get("/health")
        assert answer.status_code == 503
        assert answer.json is not None
        assert answer.json["database"] == "down"


BRIEFLY = ["lock_timeout=200ms"]
"""As the command takes it: flask db -x lock_timeout=200ms upgrade."""


def test_a_migration_waits_briefly_for_a_table(migrated: Flask, engines: embedded.Engines) -> None:
    with connect(engines, "from_migrations") as other, other.transaction():
        other.execute("lock table alembic_version")
        with pytest.raises(OperationalError, match="lock timeout"):
            upgrade(directory=FOLDER, x_arg=BRIEFLY)


def test_a_second_migrator_waits_for_the_first(migrated: Flask, engines: embedded.Engines) -> None:
    def second() -> None:
        with migrated.app_context():
            upgrade(directory=FOLDER, x_arg=BRIEFLY)

    with connect(engines, "from_migrations") as first, ThreadPoolExecutor() as pool:
        first.execute("select pg_advisory_lock(%s)", [LOCK])
        waiting = pool.submit(second)
        assert wait([waiting], timeout=1).not_done
        first.execute("select pg_advisory_unlock(%s)", [LOCK])
        waiting.result(30)


def test_a_migration_keeps_what_its_tables_serve(migrated: Flask, engines: embedded.Engines) -> None:
    head = script().get_current_head()
    with connect(engines, "from_migrations") as connection:
        kept = connection.execute("select value from system_marks where name = 'schema'").fetchone()
    assert kept == (f"{head} {script().get_revision(head).module.SERVES}",)


def test_the_way_back_keeps_what_the_tables_serve(migrated: Flask, engines: embedded.Engines) -> None:
    downgrade(directory=FOLDER, revision="0004")
    with connect(engines, "from_migrations") as connection:
        kept = connection.execute("select value from system_marks where name = 'schema'").fetchone()
    upgrade(directory=FOLDER)
    assert kept == ("0004 0004",)


def test_each_migration_says_its_phase() -> None:
    phases = {revision.module.PHASE for revision in script().walk_revisions()}
    assert phases <= {"expand", "contract"}


def test_each_migration_serves_itself_or_an_older_one() -> None:
    known = sorted(revision.revision for revision in script().walk_revisions())
    for revision in script().walk_revisions():
        assert revision.module.SERVES in known[: known.index(revision.revision) + 1]


def test_what_one_migration_ends_no_later_one_serves() -> None:
    serves = [revision.module.SERVES for revision in reversed(list(script().walk_revisions()))]
    assert serves == sorted(serves)


def test_no_migration_imports_what_changes_after_it() -> None:
    """Models of today are not those of then: upgrades that skip a release would break."""
    for revision in script().walk_revisions():
        assert not re.search(r"^\s*(from|import) synkro", Path(revision.path).read_text(), re.MULTILINE)
