"""An installation of its own for one measurement: engines, company, stand-ins; nothing of it is left afterwards."""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from rq import Worker as RqWorker

from benchmarks.processes import Processes
from benchmarks.stand_ins import Size
from config import Config, load
from synkro import create_app, embedded
from synkro.demo.company import connect
from synkro.extensions import redis
from synkro.models import JobRun, Tenant
from synkro.models.states import Role, RunKind
from synkro.services.auth import accounts
from synkro.services.companies import tenants
from synkro.services.reports import runs
from synkro.tenancy import db, tenant_scope

ROOT = Path(__file__).resolve().parent.parent
EMAIL = "reader@bench.synkro.kz"


@dataclass
class Installation:
    """The engines are as durable as in production: every commit is flushed to the disk."""

    config: Config
    env: dict[str, str]
    processes: Processes
    app: Flask
    tenant: Tenant
    password: str
    urls: Mapping[str, str]

    def start(self, name: str, *module_and_words: str) -> int:
        return self.processes.start(name, self.env, *module_and_words)

    def await_workers(self, count: int) -> None:
        """Their start is not what is measured."""
        self.processes.patiently(lambda: RqWorker.count(connection=redis()) >= count or None, 60)

    def start_run(self, now: datetime) -> uuid.UUID:
        """A run of the day before now."""
        with tenant_scope(self.tenant.id):
            run, started = runs.start(self.tenant, RunKind.MANUAL, now - timedelta(days=1), now, actor="bench")
        if not started:
            raise SystemExit("another run is active")
        return run.id

    def ended_run(self, run_id: uuid.UUID) -> JobRun | None:
        """The run when it has succeeded, None while it is at work. A second try of a step spoils the measurement."""
        with tenant_scope(self.tenant.id):
            run, steps = runs.find(run_id), runs.steps_of(run_id)
            spoilt = [f"{step.key}: {step.code}" for step in steps if step.code and step.status != "done"]
            if run is None or spoilt:
                raise SystemExit(f"the run has not succeeded at once: {spoilt}")
            return run if run.status == "succeeded" else None


@contextmanager
def installation(
    size: Size | None = None, now: datetime | None = None, urls: Mapping[str, str] | None = None
) -> Iterator[Installation]:
    """size: that of the practice company around which the vendors' stand-ins are started; None for no stand-ins.

    urls: of stand-ins that run already; the company is not connected to them.
    """
    with _folder() as folder:
        processes = Processes(folder / "bench", ROOT)
        try:
            urls = _stand_ins(processes, folder, size, now or datetime.now(UTC)) if size else dict(urls or {})
            env = _environment(folder, urls)
            yield from _made(env, processes, urls, size, now)
        finally:
            processes.end()


def _made(
    env: dict[str, str], processes: Processes, urls: Mapping[str, str], size: Size | None, now: datetime | None
) -> Iterator[Installation]:
    config = load(env)
    embedded.start(config.var_dir)
    app = create_app(config)
    logging.getLogger().handlers.pop(0)  # the terminal belongs to the figures; the files keep everything
    with app.app_context():
        upgrade(directory=str(ROOT / "migrations"))
        password = secrets.token_urlsafe(12)
        tenant = tenants.create("bench", "Bench", actor="bench")
        accounts.create(EMAIL, password, Role.USER, tenant, can_manage_settings=True, actor="bench")
        if size and now:
            connect(tenant, size.world(now), urls)
        try:
            yield Installation(config, env, processes, app, tenant, password, urls)
        finally:
            db.session.remove()
            db.engine.dispose()
            redis().close()


@contextmanager
def _folder() -> Iterator[Path]:
    """Short, because the path of a socket may not be long; open to the account that the engines run as."""
    folder = Path(tempfile.mkdtemp(prefix="sb", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _stand_ins(processes: Processes, folder: Path, size: Size, now: datetime) -> dict[str, str]:
    """Base URLs of the five, once they listen."""
    state = folder / "stand_ins.json"
    words = [str(number) for number in (size.leads, size.chats, size.messages)]
    processes.start("stand-ins", os.environ, "benchmarks.stand_ins", str(state), now.isoformat(), *words)
    found = processes.patiently(lambda: state.read_text() if state.exists() else None, 60)
    return dict(json.loads(found))


def _environment(folder: Path, urls: Mapping[str, str]) -> dict[str, str]:
    names = {"amocrm": "AMOCRM", "radist": "RADIST", "gemini": "GEMINI", "telegram": "TELEGRAM"}
    return {
        **os.environ,
        "APP_ENV": "development",
        "VAR_DIR": str(folder),
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "BASE_URL": "http://127.0.0.1:8000",
        "LOG_LEVEL": "INFO",
        "AMOCRM_OAUTH_URL": urls.get("amocrm", ""),
        **{f"{name}_BASE_URL": urls.get(kind, "") for kind, name in names.items()},
        "OUTBOUND_ALLOW_HOSTS": ",".join(url.removeprefix("http://") for url in urls.values()),
    }
