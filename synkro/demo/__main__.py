"""The course of the demo: engines, vendors' stand-ins, company, processes, one report, then serve until Ctrl-C."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from zoneinfo import ZoneInfo

from flask import Flask
from flask_migrate import upgrade

from config import Config, ConfigError, load
from synkro import create_app, embedded
from synkro.analysis.figures.window import day_window
from synkro.demo.children import Children, free_port, python
from synkro.demo.company import check_all, company, connect, plan_reports
from synkro.demo.only import AlreadyRunning, Claim
from synkro.demo.progress import follow
from synkro.embedded import EngineError
from synkro.models import Tenant
from synkro.models.states import RunKind, RunStatus
from synkro.sandbox.demo.world import demo_world
from synkro.services.operations.schema import NewerSchema
from synkro.services.reports import reports, runs
from synkro.tenancy import tenant_scope

LONGEST_RUN_SECONDS = 300
START_SECONDS = 60
WEB = ("--workers", "2", "--threads", "4", "--graceful-timeout", "2", "--no-control-socket")
"""Ctrl-C waits for no slow page, and nothing is written outside of VAR_DIR."""
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal: an orderly end."""


def main() -> int:
    for number in ENDINGS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup keeps its word
            signal.signal(number, _stop)
    var = Path(os.environ.get("VAR_DIR") or "var").resolve()
    try:
        claim = Claim(var / "demo")
    except AlreadyRunning as running:
        _say(str(running))
        return 1  # this start made no report, and nobody who waits for one should take it for done
    was_running = all(engine.running for engine in embedded.status(var).values())
    children = Children(var / "demo")
    try:
        return _run(children, var, claim)
    except Stop:
        return 0
    except (ConfigError, EngineError, NewerSchema) as error:
        _say(str(error))
        return 1
    finally:
        for number in ENDINGS:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C would leave the children behind
        children.end()
        if not was_running:
            embedded.stop(var)
        claim.give_back()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise Stop


def _run(children: Children, var: Path, claim: Claim) -> int:
    started = time.monotonic()
    _say("Starting the embedded PostgreSQL and Valkey, and the vendors' stand-ins ...")
    urls = _vendors(children, var)
    os.environ.update(_environment(var, urls, free_port()))
    config = load()  # as the children do: an .env file counts for all of them or for none
    embedded.start(config.var_dir)
    app = create_app(config)
    logging.getLogger().handlers.pop(0)  # the terminal belongs to the progress display; the files keep everything
    with app.app_context():
        upgrade(directory="migrations")
        tenant, passwords = company()
        connect(tenant, demo_world(datetime.now(UTC)), urls)
        plan_reports(tenant)
    _serve(children, config)
    claim.tell(config.base_url)
    _people(config, passwords)
    ok = _report(app, tenant, started, config)
    if os.environ.get("ONCE") or not ok:
        return 0 if ok else 1
    _say(f"\nServing at {config.base_url} until Ctrl-C.")
    while (dead := children.dead()) is None:
        time.sleep(0.5)
    _say(f"{dead} has ended by itself; see {var / 'demo' / dead}.out")
    return 1


def _vendors(children: Children, var: Path) -> dict[str, str]:
    """Base URLs of the stand-ins, once they listen."""
    state = var / "demo" / "sandbox.json"
    state.unlink(missing_ok=True)
    children.start("sandbox", python("synkro.sandbox", "--state", str(state)))
    ends = time.monotonic() + START_SECONDS
    while not state.exists():
        if children.dead() or time.monotonic() > ends:
            raise SystemExit(f"the stand-ins did not start; see {var / 'demo' / 'sandbox.out'}")
        time.sleep(0.05)
    urls: dict[str, str] = json.loads(state.read_text())
    return urls


def _environment(var: Path, urls: Mapping[str, str], port: int) -> dict[str, str]:
    hosts = ",".join(url.removeprefix("http://") for url in urls.values())
    return {
        "APP_ENV": "development",
        "VAR_DIR": str(var),
        "DATABASE_URL": "",
        "REDIS_URL": "",
        # whatever an .env file says: letters and errors of a demo stay on this machine
        "MAIL_URL": "",
        "SENTRY_DSN": "",
        "BASE_URL": f"http://127.0.0.1:{port}",
        "AMOCRM_BASE_URL": urls["amocrm"],
        "AMOCRM_OAUTH_URL": urls["amocrm"],
        "RADIST_BASE_URL": urls["radist"],
        "GEMINI_BASE_URL": urls["gemini"],
        "TELEGRAM_BASE_URL": urls["telegram"],
        "OUTBOUND_ALLOW_HOSTS": hosts,
    }


def _serve(children: Children, config: Config) -> None:
    """Web, worker and scheduler, as in production."""
    address = config.base_url.removeprefix("http://")
    children.start("web", python("gunicorn", "wsgi:app", "--bind", address, *WEB))
    children.start("worker", python("flask", "--app", "wsgi", "worker"))
    children.start("scheduler", python("flask", "--app", "wsgi", "scheduler"))
    ends = time.monotonic() + START_SECONDS
    while not _answers(f"{config.base_url}/ready"):
        if children.dead() or time.monotonic() > ends:
            raise SystemExit(f"{children.dead() or 'web'} did not start; see {config.var_dir / 'demo'}")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 (a loopback address of our own)
            return bool(response.status == 200)
    except OSError:
        return False


def _people(config: Config, passwords: Mapping[str, str]) -> None:
    _say(f"\nSign in at {config.base_url}")
    for email, password in passwords.items():
        _say(f"  {email:<28} {password}")
    if not passwords:
        _say("  with the passwords that the first start has shown")
    _say("  admin and helper set up a second factor when they sign in for the first time")


def _report(app: Flask, tenant: Tenant, started: float, config: Config) -> bool:
    """Yesterday's report, with its steps on the screen. True when all are done."""
    zone = ZoneInfo(tenant.timezone)
    window = day_window(datetime.now(zone).date() - timedelta(days=1), zone)
    with app.app_context():
        with tenant_scope(tenant.id):
            run, _ = runs.start(tenant, RunKind.MANUAL, window.start, window.end, actor="demo")
        _say(f"\nReport for {window.start.astimezone(zone):%d.%m.%Y}:")
        state = follow(tenant.id, run.id, LONGEST_RUN_SECONDS)
        ok = state["status"] == RunStatus.SUCCEEDED
        if ok:
            with tenant_scope(tenant.id):
                report = reports.find(reports.id_for(run.id))
                body = reports.body(report) if report else None
            _say(f"\n{body.text if body else ''}")
            _say(f"\n{config.base_url}/reports/{reports.id_for(run.id)}")
            check_all(tenant)
    _say(f"\n{'Done' if ok else 'Not done'} in {time.monotonic() - started:.1f} s from the start.")
    return ok


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
