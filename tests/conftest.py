"""Real PostgreSQL and Valkey for every test, one application, a cast of people, and the practice world on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from hypothesis import settings as rules
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import load
from synkro import create_app, embedded
from synkro.blueprints.auth.cookie import TOKEN
from synkro.extensions import redis, remember, settings, vault
from synkro.infra.pace import LONGEST_REST, RedisPacer
from synkro.models import Automation, Credential, CurrentSession, Tenant, User
from synkro.models.states import Role
from synkro.sandbox.demo.world import demo_world
from synkro.sandbox.server import Sandbox
from synkro.sandbox.world import World
from synkro.services.auth import passwords, sessions
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support import leftovers
from tests.support.clocks import impatient as impatient  # noqa: PLC0414 (a fixture)
from tests.support.clocks import standing as standing  # noqa: PLC0414 (a fixture)
from tests.support.practice import Practice

# No time limit for an example: the machines that run tests are shared. Everyday runs try the same examples each time: a
# change is judged, not the dice. `--hypothesis-profile=thorough` looks for new examples; a find becomes an @example.
rules.register_profile("synkro", deadline=None, max_examples=50, derandomize=True)
rules.register_profile("thorough", deadline=None, max_examples=1000, derandomize=False)
rules.load_profile("synkro")

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "correct horse battery staple"
DECOY_PASSWORD = "nobody has this password"
REAL_DECOY = passwords.DECOY


leftovers.ended_with_us()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    leftovers.end()


@pytest.fixture(scope="session")
def var_dir() -> Path:
    return leftovers.folder()


@pytest.fixture(scope="session")
def engines(var_dir: Path) -> embedded.Engines:
    return embedded.start(var_dir, durable=False)


@pytest.fixture(scope="session")
def postgres_superuser_url(engines: embedded.Engines) -> str:
    return engines.superuser_url


@pytest.fixture(scope="session")
def whole_app(var_dir: Path, engines: embedded.Engines) -> Iterator[Flask]:
    """Made and migrated once. Tests take `app`, which comes with empty tables."""
    app = create_app(load({"APP_ENV": "test", "VAR_DIR": str(var_dir), "LOG_LEVEL": "WARNING"}))
    with app.app_context():
        upgrade(directory=str(ROOT / "migrations"))
        yield app
        db.engine.dispose()
        redis().close()


@pytest.fixture(scope="session", autouse=True)
def real_hasher() -> Iterator[PasswordHasher]:
    """A hash of the product costs half a second of a busy machine. Tests that are not about that take cheap ones."""
    real, cheap = passwords.hasher, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "hasher", cheap)
        patch.setattr(passwords, "DECOY", cheap.hash(DECOY_PASSWORD))
        yield real


@pytest.fixture(scope="session")
def empty(whole_app: Flask, engines: embedded.Engines) -> Iterator[Callable[[], None]]:
    """Takes every row away. On tables of a few rows a delete takes a hundredth of the time of a truncate."""
    orders = [f"delete from {table.name}" for table in db.metadata.sorted_tables]
    with psycopg.connect(engines.superuser_url, dbname="synkro", autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")  # the audit log lets nobody empty it

        def empty() -> None:
            with connection.transaction():
                connection.execute("; ".join(orders))  # type: ignore[arg-type]

        yield empty


@pytest.fixture
def app(whole_app: Flask, empty: Callable[[], None]) -> Iterator[Flask]:
    """Every row and key that a test made is gone after it."""
    with whole_app.app_context():
        config, seal, store = settings(), vault(), redis()
        yield whole_app
        db.session.remove()
        remember(whole_app, config, seal, store)
        store.flushdb()
    empty()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def store(app: Flask) -> Redis:
    return redis()


def redis_away() -> Redis:
    """Nobody answers there, and it is not asked twice."""
    return Redis(unix_socket_path="/nonexistent", retry=Retry(NoBackoff(), 0))


@pytest.fixture
def tenant(app: Flask) -> Tenant:
    return make_tenant("alfa", "Alfa")


@pytest.fixture
def other_tenant(app: Flask) -> Tenant:
    return make_tenant("beta", "Beta")


def make_tenant(slug: str, name: str) -> Tenant:
    tenant = Tenant(slug=slug, name=name)
    db.session.add(tenant)
    db.session.commit()
    with tenant_scope(tenant.id):
        db.session.add(Automation(tenant_id=tenant.id))
        db.session.commit()
    return tenant


@pytest.fixture(scope="session")
def password_hash(real_hasher: PasswordHasher) -> str:
    return passwords.hasher.hash(PASSWORD)


@pytest.fixture
def cast(tenant: Tenant, other_tenant: Tenant, password_hash: str) -> dict[str, User]:
    """user and settings belong to tenant, other to other_tenant; lite and admin are staff."""
    people = {
        "user": User(role=Role.USER, tenant_id=tenant.id),
        "settings": User(role=Role.USER, tenant_id=tenant.id, can_manage_settings=True),
        "other": User(role=Role.USER, tenant_id=other_tenant.id),
        "lite": User(role=Role.ADMIN_LITE),
        "admin": User(role=Role.SUPER_ADMIN),
    }
    for name, person in people.items():
        person.email, person.name = f"{name}@example.com", name.title()
    db.session.add_all(people.values())
    db.session.commit()
    with system_scope("test: passwords"):
        db.session.add_all(Credential(user_id=one.id, password_hash=password_hash) for one in people.values())
        db.session.commit()
    return people


@pytest.fixture
def sign_in(app: Flask) -> Callable[[FlaskClient, User], FlaskClient]:
    """Puts a person into a client's session, without the forms: as after the password and, for staff, the code."""

    def enter(client: FlaskClient, person: User) -> FlaskClient:
        token = sessions.start(person, "192.0.2.1", "test")
        if person.is_staff:
            row = sessions.of(person.id)[0]
            token = sessions.confirm(CurrentSession(row.id, "code", row.confirmed_at, None), factor=True)
        with client.session_transaction() as session:
            session[TOKEN] = token
        return client

    return enter


@pytest.fixture(scope="session")
def world() -> World:
    return demo_world(datetime(2026, 11, 18, 9, 0, tzinfo=UTC))


def hurried(seconds: float) -> float:
    """A rest of an hour, the longest there is, takes less than half a second."""
    return min(seconds, LONGEST_REST) / 10_000


@pytest.fixture
def new_practice(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Tenant], Practice]]:
    """Makes the five stand-ins on loopback and a tenant connected to them. Requests are paced, but time runs faster."""
    real_wait, real_pause = RedisPacer.wait, RedisPacer.pause
    monkeypatch.setattr(RedisPacer, "wait", lambda self, key, rate: real_wait(self, key, rate * 1000))
    monkeypatch.setattr(RedisPacer, "pause", lambda self, key, time, code: real_pause(self, key, hurried(time), code))
    sandboxes = []

    def make(tenant: Tenant) -> Practice:
        sandbox = Sandbox(world)
        sandboxes.append(sandbox)
        return Practice(app, tenant, world, sandbox.urls).connect()

    yield make
    for sandbox in sandboxes:
        sandbox.stop()


@pytest.fixture
def practice(new_practice: Callable[[Tenant], Practice], tenant: Tenant) -> Practice:
    return new_practice(tenant)
