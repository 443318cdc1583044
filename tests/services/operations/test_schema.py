"""Whether this release may work on tables that another one has made, and what migrating them says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from click.testing import Result
from flask import Flask

from synkro import embedded
from synkro.services.operations import schema
from synkro.services.operations.schema import Fit

Put = Callable[[str, str], None]
NEWER = "9999"
"""A revision of a release that is not out yet."""


@pytest.fixture
def put(app: Flask, engines: embedded.Engines) -> Iterator[Put]:
    """Gives the tables another revision and mark."""
    with psycopg.connect(engines.superuser_url, dbname="synkro", autocommit=True) as connection:
        (kept,) = connection.execute("select version_num from alembic_version").fetchone() or ("",)

        def put(revision: str, mark: str) -> None:
            connection.execute("update alembic_version set version_num = %s", [revision])
            if mark:
                connection.execute("insert into system_marks (name, value, at) values ('schema', %s, now())", [mark])

        yield put
        connection.execute("update alembic_version set version_num = %s", [kept])


def ready(app: Flask) -> int:
    return app.test_client().get("/ready").status_code


def upgraded(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["db", "upgrade"])


def test_a_schema_of_this_release_is_current(app: Flask) -> None:
    assert schema.fit() is Fit.CURRENT


@pytest.mark.parametrize(
    ("revision", "mark", "fit"),
    [
        ("0004", "", Fit.BEHIND),
        ("0004", "0005 0004", Fit.BEHIND),
        (NEWER, "9999 0005", Fit.AHEAD),
        (NEWER, "9999 0001", Fit.AHEAD),
        (NEWER, "9999 9998", Fit.FOREIGN),
        (NEWER, "9998 0005", Fit.FOREIGN),
        (NEWER, "9999", Fit.FOREIGN),
        (NEWER, "", Fit.FOREIGN),
    ],
)
def test_how_a_schema_of_another_release_fits(put: Put, revision: str, mark: str, fit: Fit) -> None:
    put(revision, mark)
    assert schema.fit() is fit


@pytest.mark.parametrize(
    ("revision", "mark", "status"),
    [("0004", "", 503), (NEWER, "9999 0005", 200), (NEWER, "9999 9999", 503), (NEWER, "", 503)],
)
def test_ready_with_every_schema_that_serves_us(app: Flask, put: Put, revision: str, mark: str, status: int) -> None:
    put(revision, mark)
    assert ready(app) == status


def test_ready_says_how_the_schema_fits(app: Flask, put: Put) -> None:
    put(NEWER, "9999 0005")
    assert app.test_client().get("/ready").json == {"schema": "ahead", "rights": True}


def test_an_older_release_has_nothing_to_upgrade(app: Flask, put: Put) -> None:
    put(NEWER, "9999 0005")
    assert upgraded(app).exit_code == 0


def test_an_older_release_says_that_it_is_served(app: Flask, put: Put) -> None:
    put(NEWER, "9999 0005")
    says = "The schema in the database (9999) is of another release and still serves this one (newer_schema)\n"
    assert upgraded(app).stderr == says


def test_an_older_release_that_is_not_served_fails(app: Flask, put: Put) -> None:
    put(NEWER, "9999 9999")
    assert upgraded(app).exit_code == 1


def test_an_older_release_says_that_it_is_not_served(app: Flask, put: Put) -> None:
    put(NEWER, "9999 9999")
    says = "The schema in the database (9999) is of another release and does not serve this one (newer_schema)\n"
    assert upgraded(app).stderr == says


def test_an_older_release_takes_no_newer_schema_down(app: Flask, put: Put) -> None:
    put(NEWER, "9999 0005")
    assert app.test_cli_runner().invoke(args=["db", "downgrade", "0004"]).exit_code == 1
