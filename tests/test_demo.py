"""make demo: from an empty folder to a report, served until Ctrl-C, and nothing left behind.

Two real starts of about fifteen seconds each: the first with ONCE=1, the second beside engines that run already.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest
import requests

from config import load
from synkro import embedded
from synkro.demo.__main__ import _environment
from synkro.demo.only import AlreadyRunning, Claim
from synkro.models.plan import PLAN
from tests.conftest import ROOT
from tests.support import leftovers
from tests.support.having import assert_has

PATIENCE = 240
"""Seconds for a whole start. A quiet machine needs about fifteen."""
PERSON = re.compile(r"^  (\S+@demo\.kz) +(\S+)$", re.MULTILINE)
TICK = re.compile(r"^  ✓ (.+?)(?:  |$)", re.MULTILINE)
STEPS = [str(plan.title) for plan in PLAN]


@dataclass
class Start:
    """What one start of the demo has done. left: processes of it that outlived it."""

    said: str
    code: int
    left: list[str]
    engines: list[bool]
    seconds_to_stop: float = 0
    pages: dict[str, int] = field(default_factory=dict)
    beside: Beside | None = None


@dataclass
class Beside:
    """What another start has done while this one served. before, after: see touched."""

    said: str
    code: int
    before: list[str]
    after: list[str]


@pytest.fixture(scope="module")
def var() -> Iterator[Path]:
    """Not the tests' own engines: the demo starts and stops its own. Short, for the path of the sockets."""
    folder = leftovers.folder()
    yield folder
    embedded.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def first(var: Path) -> Start:
    """From nothing, the first port taken by somebody else, ends by itself."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", 8000))
            other.listen()
        except OSError:
            pass  # somebody else does it for us
        with started(var, ONCE="1") as demo:
            said, _ = demo.communicate()
    return Start(said, demo.returncode, left(var), running(var))


@pytest.fixture(scope="module")
def second(var: Path, first: Start) -> Iterator[Start]:
    """Beside engines that run already; serves until Ctrl-C."""
    embedded.start(var)
    with started(var) as demo:
        said = until_it_serves(demo)
        pages = visit(said, dict(PERSON.findall(first.said)))
        before = touched(var)
        with started(var) as other:
            told, _ = other.communicate()
        beside = Beside(told, other.returncode, before, touched(var))
        began = time.monotonic()
        demo.send_signal(signal.SIGINT)
        time.sleep(0.3)
        demo.send_signal(signal.SIGINT)  # as impatient people do
        rest, _ = demo.communicate()
        seconds = time.monotonic() - began
    yield Start(said + rest, demo.returncode, left(var), running(var), seconds, pages, beside)
    embedded.stop(var)


@contextmanager
def started(var: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """As make does it. Settings of the machine that runs the tests do not count. It is ended whatever happens."""
    env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    demo = subprocess.Popen(
        [sys.executable, "-m", "synkro.demo"],
        cwd=ROOT,
        env={**env, "VAR_DIR": str(var), "PYTHONIOENCODING": "utf-8", **more},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    guard = threading.Timer(PATIENCE, demo.terminate)
    guard.start()
    try:
        yield demo
    finally:
        guard.cancel()
        demo.terminate()
        demo.wait()
        if demo.stdout:
            demo.stdout.close()


def until_it_serves(demo: subprocess.Popen[str]) -> str:
    lines = []
    for line in demo.stdout or ():
        lines.append(line)
        if line.startswith("Serving at"):
            break
    return "".join(lines)


def left(var: Path) -> list[str]:
    """Processes that work for this folder, the engines not counted."""
    return [
        " ".join(process.cmdline())
        for process in psutil.process_iter()
        if works_for(process, var) and process.name() not in ("postgres", "valkey-server")
    ]


def works_for(process: psutil.Process, var: Path) -> bool:
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get("VAR_DIR") == str(var) or any(str(var) in word for word in process.cmdline())
    except psutil.Error:
        return False


def touched(var: Path) -> list[str]:
    """What a start writes: the connections of the company, its runs, where the stand-ins are."""
    with psycopg.connect(embedded.addresses(var).superuser_url, dbname="synkro") as connection:
        rows = connection.execute("select kind, version, settings::text from integration_configs order by kind")
        runs = connection.execute("select 'run', count(*) from job_runs")
        addresses = (var / "demo" / "sandbox.json").stat().st_mtime_ns
        return [*map(str, rows), *map(str, runs), str(addresses)]


def running(var: Path) -> list[bool]:
    return [engine.running for engine in embedded.status(var).values()]


def visit(said: str, people: dict[str, str]) -> dict[str, int]:
    """Sign in as the company's person with the password of the first start, and open the report that was announced."""
    found = re.search(r"^(http://127\.0\.0\.1:\d+)/reports/\S+$", said, re.MULTILINE)
    assert found, said
    email = "head@demo.kz"
    with requests.Session() as browser:
        browser.trust_env = False
        form = browser.get(f"{found[1]}/login", timeout=120).text
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
        assert token, form
        fields = {"csrf_token": token[1], "email": email, "password": people[email]}
        entered = browser.post(f"{found[1]}/login", data=fields, allow_redirects=False, timeout=120)
        report = browser.get(found[0], allow_redirects=False, timeout=120)
    return {"sign_in": entered.status_code, "report": report.status_code}


def test_first_start_makes_a_report_and_ends_well(first: Start) -> None:
    assert first.code == 0, first.said
    assert TICK.findall(first.said) == STEPS


def test_first_start_shows_three_passwords_once(first: Start) -> None:
    people = PERSON.findall(first.said)
    assert [email.partition("@")[0] for email, _ in people] == ["admin", "helper", "head"]
    assert all(first.said.count(password) == 1 and len(password) >= 12 for _, password in people)


def test_passwords_are_nowhere_in_the_folder(var: Path, first: Start) -> None:
    passwords = [password.encode() for _, password in PERSON.findall(first.said)]
    files = [path for path in var.rglob("*") if path.is_file()]
    assert len(files) > 100
    assert [path for path in files if any(password in path.read_bytes() for password in passwords)] == []


def test_taken_port_is_stepped_over(first: Start) -> None:
    found = re.search(r"Sign in at http://127\.0\.0\.1:(\d+)", first.said)
    assert found
    assert 8000 < int(found[1]) < 8100


def test_first_start_leaves_no_process_and_no_engine(first: Start) -> None:
    assert first.left == []
    assert first.engines == [False, False]


def test_second_start_keeps_the_people_and_shows_no_password(first: Start, second: Start) -> None:
    assert PERSON.findall(second.said) == []
    assert not any(password in second.said for _, password in PERSON.findall(first.said))
    assert TICK.findall(second.said) == STEPS


def test_password_of_the_first_start_opens_the_report_of_the_second(second: Start) -> None:
    assert second.pages == {"sign_in": 303, "report": 200}


def test_ctrl_c_ends_everything_but_engines_that_ran_before(second: Start) -> None:
    assert second.code == 0, second.said
    assert second.left == []
    assert second.engines == [True, True]


def test_ctrl_c_is_quick(second: Start) -> None:
    """Two seconds on a quiet machine; a busy one gets time, but nobody waits for the limits of web or worker."""
    assert second.seconds_to_stop < 15


def beside(second: Start) -> Beside:
    assert second.beside is not None
    return second.beside


def test_a_start_beside_a_running_demo_says_where(var: Path, second: Start) -> None:
    found = re.search(r"Serving at (\S+) until", second.said)
    assert found
    assert beside(second).said == f"A demo is already running at {found[1]} in {var}. Ctrl-C there ends it.\n"


def test_a_start_beside_a_running_demo_touches_nothing(second: Start) -> None:
    assert beside(second).after == beside(second).before


def test_a_start_beside_a_running_demo_is_no_success(second: Start) -> None:
    assert beside(second).code == 1


HOLD = """
import sys, time
from pathlib import Path
from synkro.demo.only import AlreadyRunning, Claim
try:
    claim = Claim(Path(sys.argv[1]))
    claim.tell("http://127.0.0.1:8000")
    print("held", flush=True)
    time.sleep(60)
except AlreadyRunning:
    print("taken", flush=True)
"""


@contextmanager
def holding(folder: Path, many: int) -> Iterator[list[subprocess.Popen[str]]]:
    """So many starts at the same moment."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    all_of_them = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(many)]
    yield all_of_them
    for one in all_of_them:
        one.kill()
        one.communicate()


def test_of_starts_at_the_same_moment_one_goes_on(tmp_path: Path) -> None:
    with holding(tmp_path, 4) as starts:
        said = [one.stdout.readline() for one in starts if one.stdout]
    assert sorted(said) == ["held\n", "taken\n", "taken\n", "taken\n"]


def test_a_demo_that_was_killed_stands_in_nobodys_way(tmp_path: Path) -> None:
    with holding(tmp_path, 1) as (killed,):
        assert killed.stdout is not None
        assert killed.stdout.readline() == "held\n"
    Claim(tmp_path).give_back()


def test_a_demo_that_is_starting_has_no_address_yet(tmp_path: Path) -> None:
    claim = Claim(tmp_path)
    with pytest.raises(AlreadyRunning, match="already starting"):
        Claim(tmp_path)
    claim.give_back()


def test_no_trace_on_the_screen(first: Start, second: Start) -> None:
    assert "Traceback" not in first.said + second.said


def test_a_demo_sends_nothing_out_whatever_an_env_file_says(tmp_path: Path) -> None:
    of_the_file = {"MAIL_URL": "smtp://mail.example.kz:587", "SENTRY_DSN": "https://key@errors.example.kz/1"}
    vendors = dict.fromkeys(("amocrm", "radist", "gemini", "telegram"), "http://127.0.0.1:1")
    config = load({**of_the_file, **_environment(tmp_path, vendors, 8000)})
    assert_has(config, mail_url="", sentry_dsn="")
