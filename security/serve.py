"""The product as the scanners meet it: practice data and a report, no limits, and a header that says who asks."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import Flask
from flask_migrate import upgrade
from itsdangerous import URLSafeTimedSerializer
from rq.serializers import JSONSerializer
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from config import load
from security.schema import document
from synkro import create_app
from synkro.analysis.figures.window import day_window
from synkro.blueprints.auth.cookie import TOKEN
from synkro.demo.company import company, connect
from synkro.extensions import redis
from synkro.infra import queue
from synkro.jobs.engine.worker import Worker
from synkro.models import CurrentSession, Report, Tenant, User
from synkro.models.states import RunKind
from synkro.sandbox.demo.world import demo_world
from synkro.sandbox.server import Sandbox
from synkro.services.auth import attempts, sessions
from synkro.services.reports import runs
from synkro.tenancy import db, tenant_scope
from synkro.web.limits import limiter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

WHO = "HTTP_X_SCAN_AS"
CSRF = "scanners send one and the same"
MEMBER, CHIEF = "head@demo.kz", "admin@demo.kz"
"""A user of the demo company with the right to its settings, and a super_admin."""


class SignedIn:
    """X-Scan-As: e-mail. Signs that person in, the second factor included, whatever the scanner has done to its cookie.

    A scanner that presses "sign out" would otherwise look at the sign-in page for the rest of its time.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.inner: WSGIApplication = app.wsgi_app
        self.tokens: dict[str, str] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if who := environ.get(WHO):
            environ["HTTP_COOKIE"] = f"{self.app.config['SESSION_COOKIE_NAME']}={self._cookie(str(who))}"
        return self.inner(environ, start_response)

    def _cookie(self, email: str) -> str:
        with self.app.app_context():
            token = self.tokens.get(email, "")
            if not token or sessions.load(token) is None:
                token = self.tokens[email] = _session_of(email)
        signer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        return str(signer.dumps({TOKEN: token, "csrf_token": CSRF}))


def _session_of(email: str) -> str:
    person = db.session.execute(select(User).where(User.email == email)).scalar_one()
    token = sessions.start(person, "127.0.0.1", "scanner")
    row = sessions.of(person.id)[0]
    return (
        sessions.confirm(CurrentSession(row.id, "", row.confirmed_at, None), factor=True) if person.is_staff else token
    )


def _app(var: Path, vendors: dict[str, str]) -> Flask:
    hosts = ",".join(url.removeprefix("http://") for url in vendors.values())
    app = create_app(
        load(
            {
                "APP_ENV": "development",
                "VAR_DIR": str(var),
                "LOG_LEVEL": "ERROR",
                "AMOCRM_BASE_URL": vendors["amocrm"],
                "AMOCRM_OAUTH_URL": vendors["amocrm"],
                "RADIST_BASE_URL": vendors["radist"],
                "GEMINI_BASE_URL": vendors["gemini"],
                "TELEGRAM_BASE_URL": vendors["telegram"],
                "OUTBOUND_ALLOW_HOSTS": hosts,
            }
        )
    )
    # a scanner asks faster than any person; the limits have tests of their own
    limiter.enabled = False
    setattr(attempts, "take", lambda *_who: attempts.Try("", (), ""))  # noqa: B010 (a module's function)
    setattr(attempts, "give_back", lambda _mine: None)  # noqa: B010
    return app


def _one_report(tenant: Tenant) -> dict[str, str]:
    """Ids of a run and its report."""
    zone = ZoneInfo(tenant.timezone)
    window = day_window(datetime.now(zone).date() - timedelta(days=1), zone)
    with tenant_scope(tenant.id):
        run, _ = runs.start(tenant, RunKind.MANUAL, window.start, window.end, actor="scan")
    steps = [queue.queue(queue.STEPS, redis())]
    Worker(steps, connection=redis(), serializer=JSONSerializer, log_job_description=False).work(
        burst=True, logging_level="ERROR"
    )
    with tenant_scope(tenant.id):
        report_id = db.session.execute(select(Report.id)).scalar_one()
    return {"run_id": str(run.id), "report_id": str(report_id)}


class Quiet(WSGIRequestHandler):
    def log(self, *_args: Any) -> None:
        """The product keeps its own log."""


def main(var: Path, state: Path) -> None:
    """Serve until killed. state: a JSON file that tells the address and more once the server listens."""
    world = demo_world(datetime.now(UTC))
    vendors = Sandbox(world).urls
    app = _app(var, vendors)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with app.app_context():
        upgrade(directory="migrations")
        tenant, passwords = company()
        connect(tenant, world, vendors)
        ids = _one_report(tenant)
        person = db.session.execute(select(User.id).where(User.email == MEMBER)).scalar_one()
        ids |= {"tenant_id": str(tenant.id), "user_id": str(person), "person_id": str(person)}
        db.session.remove()
    app.wsgi_app = SignedIn(app)  # type: ignore[method-assign]
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    told = {
        "url": f"http://127.0.0.1:{server.server_port}",
        "password": passwords[MEMBER],
        "csrf": URLSafeTimedSerializer(app.secret_key or "", salt="wtf-csrf-token").dumps(CSRF),
        "ids": ids,
        "schema": document(app, ids),
    }
    draft = state.with_suffix(".new")
    draft.write_text(json.dumps(told), encoding="utf-8")
    draft.rename(state)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
