"""What the command line says before the tables are made, without a database, without Redis, with bad settings."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from synkro import embedded
from tests.cli.conftest import flask
from tests.conftest import ROOT
from tests.support.having import assert_has
from tests.support.processes import settings_of

ID = "00000000-0000-4000-8000-000000000000"
COMMANDS = {
    "tenants create": (["tenants", "create", "a", "--name", "A"], ""),
    "users create": (["users", "create", "a@b.kz", "--role", "super_admin", "--password-stdin"], "long enough 123"),
    "integrations set": (["integrations", "set", "a", "radist"], '{"api_key": "k"}'),
    "integrations check": (["integrations", "check", "a", "radist", "--json"], ""),
    "reports run": (["reports", "run", "a", "--from", "2026-11-17", "--to", "2026-11-18", "--json"], ""),
    "reports show": (["reports", "show", ID, "--json"], ""),
    "runs show": (["runs", "show", ID, "--json"], ""),
    "runs retry": (["runs", "retry", ID], ""),
    "runs cancel": (["runs", "cancel", ID], ""),
    "keys check": (["keys", "check"], ""),
    "worker": (["worker", "--burst"], ""),
    "scheduler": (["scheduler"], ""),
    "tick": (["tick"], ""),
}
MANY = """
import json, sys
from wsgi import app
done = {}
for name, (words, given) in json.load(sys.stdin).items():
    with app.app_context():
        result = app.test_cli_runner().invoke(args=words, input=given)
    done[name] = [result.exit_code, result.stdout, result.stderr]
print(json.dumps(done))
"""


@cache
def all_commands(**env: str) -> dict[str, Any]:
    """Each command in one process that has these settings: name -> exit code, stdout, stderr."""
    asked = {**COMMANDS, "db upgrade": (["db", "upgrade"], "")}
    done = subprocess.run(
        [sys.executable, "-c", MANY], env=env, cwd=ROOT, input=json.dumps(asked), capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture
def without_tables(var_dir: Path, engines: embedded.Engines) -> dict[str, str]:
    url, owner = embedded.create_database(engines.superuser_url, "without_tables")
    return settings_of(var_dir, DATABASE_URL=url, DATABASE_OWNER_URL=owner)


@pytest.fixture
def without_database(var_dir: Path, engines: embedded.Engines) -> dict[str, str]:
    nobody = "postgresql://nobody:canary-password@127.0.0.1:9/none"
    return settings_of(var_dir, DATABASE_URL=nobody)


@pytest.mark.parametrize("command", COMMANDS)
def test_before_the_tables_are_made_each_command_says_how(without_tables: dict[str, str], command: str) -> None:
    code, out, err = all_commands(**without_tables)[command]
    assert code == 1
    assert out == ""
    assert err == "The tables are missing or old: run flask db upgrade (not_migrated)\n"


@pytest.mark.parametrize("command", [*COMMANDS, "db upgrade"])
def test_without_a_database_each_command_is_one_sentence(without_database: dict[str, str], command: str) -> None:
    code, out, err = all_commands(**without_database)[command]
    assert code == 1
    assert out == ""
    assert err.splitlines()[-1] == "The database is not available (database_down)"
    assert "Traceback" not in err
    assert "canary-password" not in err


@pytest.mark.parametrize("words", [["keys", "generate"], ["supabase-sql"], ["engines", "status"]])
def test_what_needs_no_data_starts_no_engine(tmp_path: Path, words: list[str]) -> None:
    done = flask(*words, env=settings_of(tmp_path))
    assert done.stdout
    assert not (tmp_path / "postgres").exists()
    assert not (tmp_path / "valkey").exists()


def test_bad_settings_are_listed_without_a_trace(tmp_path: Path) -> None:
    done = flask("worker", env=settings_of(tmp_path, APP_ENV="production", TICK_SECONDS="soon", LOG_LEVEL="LOUD"))
    assert_has(done, returncode=1, stdout="")
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("Error: The settings are not usable:\n  - ")
    for name in ("TICK_SECONDS", "LOG_LEVEL", "FIELD_ENCRYPTION_KEY", "DATABASE_URL"):
        assert f"  - {name} " in done.stderr


def test_help_names_every_command(tmp_path: Path) -> None:
    said = flask("--help", env=settings_of(tmp_path)).stdout
    listed = {line.split()[0] for line in said.partition("Commands:")[2].splitlines() if line.startswith("  ")}
    wanted = {
        "db", "tenants", "users", "integrations", "supabase-sql", "reports", "runs", "engines", "keys", "worker",
        "scheduler", "tick",
    }  # fmt: skip
    assert listed >= wanted
