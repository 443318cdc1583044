from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from sqlalchemy import create_engine, text

from synkro import embedded
from synkro.embedded import EngineError, Engines
from synkro.embedded.daemon import Daemon
from synkro.embedded.folders import Folders
from synkro.embedded.postgres import programs
from synkro.embedded.processes import working_in
from tests.support import leftovers
from tests.support.having import assert_entries

ROOT = Path(__file__).parent.parent
START = "import sys; from pathlib import Path; from synkro import embedded; "
START += "print(embedded.start(Path(sys.argv[1]), durable=False), flush=True); "


def fresh_folder() -> Path:
    """Closed to everybody else, as a home is."""
    folder = leftovers.folder()
    folder.chmod(0o700)
    return folder


def discard(var: Path) -> None:
    embedded.stop(var)
    shutil.rmtree(var)


@pytest.fixture
def var() -> Iterator[Path]:
    folder = fresh_folder()
    try:
        yield folder
    finally:
        discard(folder)


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    """A folder whose data many tests share; its engines may be stopped, killed and started."""
    folder = fresh_folder()
    try:
        yield folder
    finally:
        discard(folder)


@pytest.fixture
def engines(shared: Path) -> Engines:
    return embedded.start(shared, durable=False)


def starter(var: Path, then: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", START + then, str(var)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)


def pids(var: Path) -> dict[str, int | None]:
    return {name: state.pid for name, state in embedded.status(var).items()}


def servers(var: Path) -> list[psutil.Process]:
    return working_in(var / "postgres", "postgres") + working_in(var / "valkey", "valkey")


def run_sql(url: str, *statements: str) -> list[tuple[object, ...]]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            results = [connection.execute(text(statement)) for statement in statements]
            return [tuple(row) for row in results[-1]] if results[-1].returns_rows else []
    finally:
        engine.dispose()


def put_values(engines: Engines) -> None:
    at_once = "set local synchronous_commit = on"
    run_sql(
        engines.owner_url,
        at_once,
        "drop table if exists kept",
        "create table kept (id int)",
        "insert into kept values (7)",
    )
    with closing(redis.Redis.from_url(engines.redis_url)) as client:
        client.set("kept", "7")


def kept(engines: Engines) -> dict[str, object]:
    with closing(redis.Redis.from_url(engines.redis_url)) as client:
        return {"row": run_sql(engines.owner_url, "select id from kept")[0][0], "key": client.get("kept")}


def test_a_second_start_gives_the_same_addresses_and_servers(shared: Path, engines: Engines) -> None:
    before = pids(shared)
    assert embedded.start(shared, durable=False) == engines
    assert pids(shared) == before
    assert None not in before.values()


def test_addresses_are_known_before_the_start_and_make_nothing(tmp_path: Path) -> None:
    known = embedded.addresses(tmp_path / "var")
    assert known.database_url == f"postgresql+psycopg://synkro_app:@/synkro?host={Folders.of(tmp_path / 'var').sockets}"
    assert list(tmp_path.iterdir()) == []


def test_running_engines_are_asked_not_searched_for(
    shared: Path, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start is free for whoever comes second: each request for a connection may make one."""
    monkeypatch.setattr(Daemon, "processes", lambda _: pytest.fail("it reads the list of all processes"))
    assert embedded.start(shared, durable=False) == engines


def test_status_tells_version_folder_and_socket(shared: Path, engines: Engines) -> None:
    states = embedded.status(shared)
    assert states["postgres"].version.startswith("18.")
    assert states["valkey"].version
    assert all(state.socket.is_socket() and state.folder.is_dir() and state.since for state in states.values())


def test_only_the_account_of_the_engines_can_reach_the_sockets(shared: Path, engines: Engines) -> None:
    assert Folders.of(shared).sockets.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_another_user_of_the_machine_cannot_connect(engines: Engines) -> None:
    tried = subprocess.run(
        [programs() / "psql", engines.superuser_url],
        user=65534,
        group=65534,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Permission denied" in tried.stderr


def test_neither_engine_listens_on_the_network(shared: Path, engines: Engines) -> None:
    assert not [line for process in servers(shared) for line in process.net_connections(kind="inet")]


def test_durable_engines_write_through_and_valkey_never_evicts(shared: Path) -> None:
    embedded.stop(shared)
    engines = embedded.start(shared)
    asked = "select setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes')"
    written = run_sql(engines.database_url, asked)
    with closing(redis.Redis.from_url(engines.redis_url)) as client:
        kept = client.config_get("append*") | client.config_get("maxmemory-policy")
    embedded.stop(shared)
    assert written == [("on",)] * 3
    assert_entries(kept, appendonly="yes", appendfsync="everysec")
    assert kept["maxmemory-policy"] == "noeviction"


def test_row_security_binds_the_app_role_and_system_cannot_sign_in(engines: Engines) -> None:
    asked = """select rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole
               from pg_roles where rolname like 'synkro%' order by 1"""
    assert run_sql(engines.database_url, asked) == [
        ("synkro_app", True, False, False, False, False),
        ("synkro_owner", True, False, False, False, False),
        ("synkro_system", False, False, False, False, False),
    ]


def test_the_app_cannot_make_tables(engines: Engines) -> None:
    with pytest.raises(Exception, match="permission denied for schema public"):
        run_sql(engines.database_url, "create table stray (id int)")


def test_rights_of_the_system_role_come_only_by_taking_it(engines: Engines) -> None:
    run_sql(
        engines.owner_url,
        "create table guarded (id int)",
        "insert into guarded values (1)",
        "grant select on guarded to synkro_system",
    )
    assert run_sql(engines.database_url, "set local role synkro_system", "select id from guarded") == [(1,)]
    with pytest.raises(Exception, match="permission denied for table guarded"):
        run_sql(engines.database_url, "select id from guarded")


def test_an_extra_database_has_the_rights_of_the_first(engines: Engines) -> None:
    app, owner = embedded.create_database(engines.superuser_url, "extra-1")
    run_sql(owner, "create table mine (id int)")
    asked = """select datname, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datacl::text
               from pg_database where datname in ('synkro', 'extra-1') order by datname"""
    first, second = run_sql(app, asked)
    _, owned_by, encoding, rights = first
    assert first[1:] == second[1:]
    assert owned_by == "synkro_owner"
    assert encoding == "UTF8"
    assert rights == "{synkro_owner=CTc/synkro_owner,synkro_app=c/synkro_owner}"


def test_making_the_same_database_again_keeps_it(engines: Engines) -> None:
    _, owner = embedded.create_database(engines.superuser_url, "twice")
    run_sql(owner, "create table mine (id int)")
    _, again = embedded.create_database(engines.superuser_url, "twice")
    assert run_sql(again, "select count(*) from mine") == [(0,)]


def test_a_database_whose_making_was_cut_short_is_finished(engines: Engines) -> None:
    with psycopg.connect(engines.superuser_url, autocommit=True) as connection:
        connection.execute("create database cut owner synkro_owner allow_connections false")
    app, _ = embedded.create_database(engines.superuser_url, "cut")
    assert run_sql(app, "select has_database_privilege('synkro_app', 'cut', 'temp')") == [(False,)]


def test_letters_of_any_script_change_case(engines: Engines) -> None:
    assert run_sql(engines.database_url, "select lower('ЖЁЛТЫЙ')") == [("жёлтый",)]


def test_the_servers_outlive_the_process_group_of_their_starter(shared: Path) -> None:
    embedded.stop(shared)
    with starter(shared, then="import time; time.sleep(60)") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Engines(")
        before = pids(shared)
        os.killpg(process.pid, signal.SIGKILL)
    time.sleep(0.3)
    assert pids(shared) == before
    assert None not in before.values()


def test_killed_servers_are_started_again_with_their_data(shared: Path) -> None:
    put_values(embedded.start(shared, durable=False))
    before = pids(shared)
    for process in servers(shared):
        process.kill()
    assert kept(embedded.start(shared, durable=False)) == {"row": 7, "key": b"7"}
    assert not set(before.values()) & set(pids(shared).values())


def test_a_server_killed_under_a_busy_client_is_started_again(shared: Path) -> None:
    engines = embedded.start(shared, durable=False)
    with psycopg.connect(engines.superuser_url) as client:
        client.execute("create temporary table busy (id int)")
        os.kill(pids(shared)["postgres"] or 0, signal.SIGKILL)
        embedded.start(shared, durable=False)
        with pytest.raises(psycopg.OperationalError):
            client.execute("select 1")
    assert run_sql(engines.database_url, "select 1") == [(1,)]


def test_starts_at_the_same_moment_make_one_server_each(var: Path) -> None:
    crowd = [starter(var) for _ in range(4)]
    answers = {process.communicate(timeout=300)[0] for process in crowd}
    assert [process.returncode for process in crowd] == [0, 0, 0, 0]
    assert len(answers) == 1
    family = servers(var)
    parents = {process.ppid() for process in family} - {process.pid for process in family}
    heads = [process for process in family if process.ppid() in parents]
    assert len(heads) == 2


def test_stop_leaves_no_process_and_may_be_said_twice(shared: Path) -> None:
    embedded.start(shared, durable=False)
    assert servers(shared)
    embedded.stop(shared)
    embedded.stop(shared)
    assert servers(shared) == []
    assert [state.running for state in embedded.status(shared).values()] == [False, False]


def test_stop_and_status_of_a_folder_that_never_was_make_nothing(tmp_path: Path) -> None:
    embedded.stop(tmp_path / "var")
    assert embedded.status(tmp_path / "var")["postgres"].running is False
    assert not (tmp_path / "var").exists()


def test_stop_spares_the_engines_of_another_folder(shared: Path, engines: Engines, var: Path) -> None:
    before = pids(shared)
    embedded.start(var, durable=False)
    embedded.stop(var)
    assert pids(shared) == before


def test_data_left_half_made_is_made_again_and_set_aside(var: Path) -> None:
    (var / "postgres" / "base").mkdir(parents=True)
    (var / "postgres" / "base" / "piece").write_text("half")
    (var / "postgres.new-killed").mkdir()
    assert run_sql(embedded.start(var, durable=False).database_url, "select 1") == [(1,)]
    assert [path.read_text() for path in var.glob("postgres.broken-*/base/piece")] == ["half"]
    assert not list(var.glob("postgres.new-*"))


def test_a_start_killed_while_making_data_is_made_good_by_the_next(var: Path) -> None:
    with starter(var) as process:
        while not list(var.glob("postgres.new-*/base")):
            assert process.poll() is None
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
    assert run_sql(embedded.start(var, durable=False).database_url, "select 1") == [(1,)]


def test_a_stranger_in_a_pid_file_stops_no_start_and_lives_on(shared: Path) -> None:
    embedded.start(shared, durable=False)
    embedded.stop(shared)
    Folders.of(shared).sockets.mkdir(exist_ok=True)
    for name in ("postgres/postmaster.pid", "run/.s.PGSQL.5432.lock", "valkey/valkey.pid"):
        (shared / name).write_text(f"{os.getpid()}\n")
    embedded.stop(shared)
    embedded.start(shared, durable=False)
    assert os.getpid() not in pids(shared).values()


def test_servers_whose_sockets_were_swept_away_are_started_again(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synkro.embedded.daemon.SOCKET_SECONDS", 0.1)
    engines = embedded.start(shared, durable=False)
    put_values(engines)
    shutil.rmtree(Folders.of(shared).sockets)
    assert kept(embedded.start(shared, durable=False)) == {"row": 7, "key": b"7"}


@pytest.mark.parametrize("name", ['with space\'s $HOME "and" quotes', "long" * 40])
def test_a_path_that_no_socket_address_can_hold_works(name: str) -> None:
    folder = fresh_folder()
    try:
        engines = embedded.start(folder / name, durable=False)
        put_values(engines)
        assert kept(engines) == {"row": 7, "key": b"7"}
    finally:
        embedded.stop(folder / name)
        shutil.rmtree(folder)
    assert not Path(engines.superuser_url.partition("host=")[2]).exists()


def test_a_socket_folder_laid_by_somebody_else_is_refused(tmp_path: Path) -> None:
    var = tmp_path / ("long" * 40)
    trap = Folders.of(var).sockets
    trap.symlink_to(tmp_path)
    try:
        with pytest.raises(EngineError, match="is not a folder of the account"):
            embedded.start(var, durable=False)
    finally:
        trap.unlink()


def test_data_of_another_version_is_kept_and_the_log_is_named(var: Path) -> None:
    data = var / "postgres"
    data.mkdir(mode=0o700)
    (data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EngineError, match=str(var / "log" / "postgres.log")):
        embedded.start(var, durable=False)
    assert (data / "PG_VERSION").read_text() == "9.6\n"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match=str(tmp_path / "file")):
        embedded.start(tmp_path / "file" / "var")
