"""Whatever is sealed anywhere is known to the change of keys, and opens after it."""

from __future__ import annotations

import ast
import importlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from sqlalchemy import LargeBinary, select, text

from synkro import embedded
from synkro.extensions import settings, vault
from synkro.infra import clock
from synkro.integrations.base import SAMPLE
from synkro.models import IntegrationConfig, StoredLetter, User
from synkro.services.auth import second_factor
from synkro.services.connections import trials
from synkro.services.connections.secrets import open_secrets
from synkro.services.mail import outbox
from synkro.services.operations import health
from synkro.services.reports import artifacts
from synkro.tenancy import Base, db, system_scope, tenant_scope
from tests.conftest import ROOT
from tests.support.factor import HERE
from tests.support.practice import Practice
from tests.support.rotation import NEW, REGISTERED, configure, keys_in_use, rotate, unopened


@dataclass
class Lived:
    """An installation in which everything that can be sealed was sealed. A new kind is added in `lived`."""

    practice: Practice
    run_id: uuid.UUID
    person: User
    letter_id: uuid.UUID

    def read(self) -> list[Any]:
        """All of it, in clear, the way the program reads it."""
        setup = second_factor.begin(self.person, HERE)
        with tenant_scope(self.practice.tenant.id):
            configs = db.session.execute(select(IntegrationConfig).order_by(IntegrationConfig.kind)).scalars()
            secrets = [open_secrets(config) for config in configs]
            names = db.session.execute(text("select distinct name from artifacts order by name")).scalars().all()
            pages = [page for name in names for page in artifacts.pages(self.run_id, name)]
            tried = trials.result(trials.latest("amocrm", SAMPLE))
        return [setup.secret, self._letter(), *secrets, *pages, tried]

    def _letter(self) -> bytes:
        """Not by outbox.claim, which would begin to send it."""
        with system_scope("test"):
            sealed = db.session.get_one(StoredLetter, self.letter_id).sealed
        assert sealed is not None
        return vault().open_bytes(sealed, outbox.SEALED.context(self.letter_id))


@pytest.fixture
def old(app: Flask) -> str:
    """The key with which everything is sealed before the change."""
    health.verify_key()
    return settings().encryption_key


@pytest.fixture
def lived(old: str, practice: Practice, cast: dict[str, User]) -> Lived:
    run_id = practice.start()
    practice.drain()
    second_factor.begin(cast["user"], HERE)
    with tenant_scope(practice.tenant.id):
        trials.finish(trials.request("amocrm", SAMPLE), "green", "sample_ok", {"count": 1}, {"previews": ["one"]})
    with system_scope("test"):
        letter_id = outbox.put_content(cast["user"].id, {"subject": "Hello"}, clock.now() + timedelta(days=1))
        db.session.commit()
    return Lived(practice, run_id, cast["user"], letter_id)


def test_everything_moves_and_the_old_key_may_go(app: Flask, lived: Lived, old: str) -> None:
    before = lived.read()
    configure(app, NEW, old)
    done = rotate()
    assert [place for place, one in done.items() if not one.moved or one.unopened or one.held] == []
    assert len(done) == len(REGISTERED)
    configure(app, NEW)
    health.verify_key()
    assert unopened() == 0
    assert keys_in_use() == {vault().current}
    assert lived.read() == before


def test_back_again(app: Flask, lived: Lived, old: str) -> None:
    before = lived.read()
    configure(app, NEW, old)
    there = rotate()
    configure(app, old, NEW)
    back = rotate()
    assert {name: one.moved for name, one in back.items()} == {name: one.moved for name, one in there.items()}
    configure(app, old)
    assert unopened() == 0
    assert keys_in_use() == {vault().current}
    assert lived.read() == before


def test_nothing_is_left_to_do_the_second_time(app: Flask, lived: Lived, old: str) -> None:
    configure(app, NEW, old)
    first = rotate()
    again = rotate()
    assert {name: (one.moved, one.stale, one.current) for name, one in again.items()} == {
        name: (0, 0, one.moved) for name, one in first.items()
    }


def columns_with_sealed_values(superuser_url: str, key: str) -> Iterator[tuple[str, str]]:
    """Asked of every column there is, whatever the code says about it."""
    with psycopg.connect(superuser_url, dbname="synkro") as connection:
        columns = connection.execute(
            "select table_name, column_name, data_type = 'bytea' from information_schema.columns"
            " where table_schema = 'public'"
        )
        for table, column, is_bytes in columns.fetchall():
            shown, looks = ("encode({}, 'hex')", f"01{key}%") if is_bytes else ("{}::text", f"%v1.{key}.%")
            name = sql.SQL(shown).format(sql.Identifier(column))
            query = sql.SQL("select 1 from {} where {} like %s limit 1").format(sql.Identifier(table), name)
            if connection.execute(query, [looks]).fetchone():
                yield table, column


def test_every_column_with_sealed_values_is_known(lived: Lived, engines: embedded.Engines) -> None:
    found = set(columns_with_sealed_values(engines.superuser_url, vault().current))
    assert found == {(sealed.table.name, sealed.column.key) for sealed in REGISTERED}


def test_every_column_of_bytes_is_known() -> None:
    """Whoever adds one has to say here that it is not sealed."""
    found = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert found <= {(sealed.table.name, sealed.column.key) for sealed in REGISTERED}


def sealing_modules() -> list[str]:
    paths = [path for path in (ROOT / "synkro").rglob("*.py") if path.name != "crypto.py" and seals(path)]
    return sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths)


def seals(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.Attribute) and node.attr in ("seal", "seal_bytes") for node in ast.walk(tree))


def test_a_module_that_seals_declares_what() -> None:
    declared = {name: getattr(importlib.import_module(name), "SEALED", None) for name in sealing_modules()}
    assert declared
    assert [name for name, sealed in declared.items() if sealed not in REGISTERED] == []
    assert len(declared) == len(REGISTERED)
