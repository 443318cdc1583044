"""10,000 secrets change their key while people work, and a rotation that is killed goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from synkro.crypto import Vault
from synkro.extensions import settings, vault
from synkro.integrations.radist.client import Radist
from synkro.models import IntegrationConfig, Tenant, User
from synkro.services.connections import integrations
from synkro.services.connections.secrets import open_secrets, seal_secret
from synkro.services.operations import health, keys
from synkro.services.shared.sealed import SealedText
from synkro.tenancy import db, system_scope, tenant_scope
from synkro.web import limits
from tests.conftest import ROOT, make_tenant
from tests.support.having import assert_has
from tests.support.processes import settings_of
from tests.support.rotation import NEW, configure, keys_in_use, rotate, save, saved, unopened
from tests.support.serving import served

COMPANIES, FIELDS, SAVERS, READERS = 1_000, 10, 2, 2


@pytest.fixture
def old(app: Flask) -> str:
    health.verify_key()
    return settings().encryption_key


def many_companies() -> list[uuid.UUID]:
    """Each with one connection of ten secrets: its API key and nine that nobody touches."""
    ids = [uuid.uuid4() for _ in range(COMPANIES)]
    rows = [{"id": one, "slug": f"c{n}", "name": f"Company {n}", "settings": {}} for n, one in enumerate(ids)]
    db.session.execute(insert(Tenant), rows)
    db.session.commit()
    configs = []
    for one in ids:
        with tenant_scope(one):
            names = ["api_key", *(f"field {n}" for n in range(1, FIELDS))]
            secrets = {name: seal_secret("radist", name, f"{name} of {one}") for name in names}
        shown = {"company_id": "1"}
        configs.append({"tenant_id": one, "kind": "radist", "settings": shown, "secrets": secrets, "check_params": {}})
    with system_scope("test: ten thousand secrets"):
        db.session.execute(insert(IntegrationConfig), configs)
        db.session.commit()
    return ids


@dataclass
class Crowd:
    """People at work in threads. Whatever fails for one of them ends up in failures."""

    app: Flask
    site: str
    cookies: dict[str, str]
    ids: list[uuid.UUID]
    stop: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    kept: dict[uuid.UUID, str] = field(default_factory=dict)
    saves: int = 0
    reads: int = 0

    def begin(self) -> None:
        works = [(self.save, self.ids[n::SAVERS]) for n in range(SAVERS)]
        works += [(self.read, ["/dashboard", "/health"])] * READERS
        self.threads = [threading.Thread(target=self._until_stopped, args=work) for work in works]
        for thread in self.threads:
            thread.start()

    def go_home(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _until_stopped(self, work: Callable[[Any, int], None], things: list[Any]) -> None:
        for number, thing in enumerate(cycle(things)):
            if self.stop.is_set():
                return
            try:
                work(thing, number)
            except Exception as error:  # noqa: BLE001
                self.failures.append(f"{type(error).__name__}: {error}")

    def save(self, tenant_id: uuid.UUID, number: int) -> None:
        """A person types a key in, and a worker that needs it comes right after."""
        with self.app.app_context(), tenant_scope(tenant_id):
            integrations.save("radist", {"api_key": f"saved {number}"}, actor="test")
            self.kept[tenant_id] = f"saved {number}"
            self.saves += 1
            client = integrations.build("radist")
            assert isinstance(client, Radist)

    def read(self, path: str, _number: int) -> None:
        answer = requests.get(self.site + path, cookies=self.cookies, timeout=60, allow_redirects=False)
        self.reads += 1
        if answer.status_code != 200:
            self.failures.append(f"{path}: {answer.status_code}")


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    with served(app) as address:
        yield address


@pytest.fixture
def crowd(
    app: Flask,
    old: str,
    site: str,
    cast: dict[str, User],
    sign_in: Callable[..., FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Crowd]:
    monkeypatch.setitem(limits.PER_MINUTE, "api", 100_000)
    client = sign_in(app.test_client(), cast["settings"])
    cookie = client.get_cookie("session")
    assert cookie is not None
    health.mark_tick()
    crowd = Crowd(app, site, {"session": cookie.value}, many_companies())
    configure(app, NEW, old)
    crowd.begin()
    yield crowd
    crowd.go_home()


def test_ten_thousand_secrets_move_while_people_work(app: Flask, crowd: Crowd, old: str, var_dir: Path) -> None:
    env = settings_of(var_dir, FIELD_ENCRYPTION_KEY=NEW, FIELD_ENCRYPTION_KEYS_OLD=old)
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "keys", "rotate"]
    with subprocess.Popen(command, env=env, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        told = [(line, crowd.saves, crowd.reads) for line in process.stderr or ()]
    crowd.go_home()
    assert process.returncode == 0, told
    assert crowd.failures == [], told
    (_, saves, reads), (_, saves_at_the_end, reads_at_the_end) = told[0], told[-1]
    assert saves < saves_at_the_end, "nobody saved meanwhile"
    assert reads < reads_at_the_end, "nobody read meanwhile"
    configure(app, NEW)
    assert unopened() == 0
    assert keys_in_use() == {vault().current}
    assert [one for one in crowd.ids if opened(one) != expected(crowd, one)] == []


def opened(tenant_id: uuid.UUID) -> dict[str, str]:
    with tenant_scope(tenant_id):
        config = integrations.find("radist")
        assert config is not None
        return open_secrets(config)


def expected(crowd: Crowd, tenant_id: uuid.UUID) -> dict[str, str]:
    untouched = {f"field {n}": f"field {n} of {tenant_id}" for n in range(1, FIELDS)}
    return {**untouched, "api_key": crowd.kept.get(tenant_id, f"api_key of {tenant_id}")}


def killed(arm: Callable[[], None]) -> None:
    """A rotation in a process of its own that ends by SIGKILL where set_fault_point() put it."""
    pid = os.fork()
    if pid == 0:
        try:
            db.engine.dispose(close=False)
            arm()
            rotate()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "the fault point was never reached"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def between_batches(number: int) -> Callable[[], None]:
    """Dies when so many batches are committed and the next is not yet written."""
    real, calls = keys._write, count()

    def write(*given: Any) -> None:
        if next(calls) == number:
            die()
        real(*given)

    return lambda: setattr(keys, "_write", write)


def inside_a_batch(number: int) -> Callable[[], None]:
    """Dies when so many batches are committed and the next is written, but not committed."""
    real, calls = keys._write, count()

    def write(*given: Any) -> None:
        real(*given)
        if next(calls) == number:
            die()

    return lambda: setattr(keys, "_write", write)


@pytest.mark.parametrize("mine", [between_batches, inside_a_batch])
def test_killed_in_the_middle_it_goes_on(
    app: Flask, old: str, mine: Callable[[int], Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SealedText, "batch", 4)
    tenants = [make_tenant(f"company-{n}", f"Company {n}") for n in range(12)]
    for one in tenants:
        save(one, one.slug)
    configure(app, NEW, old)
    killed(mine(2))
    assert keys.survey()[0].opened == {vault().current: 8, Vault(old).current: 4}
    done = rotate()["integration_configs.secrets"]
    assert_has(done, current=8, moved=4)
    configure(app, NEW)
    assert unopened() == 0
    assert keys_in_use() == {vault().current}
    assert [saved(one) for one in tenants] == [{"api_key": one.slug} for one in tenants]
