"""The pages of rq-dashboard at /admin/rq, inside our session, gate, limits and tokens."""

from __future__ import annotations

import re
import secrets

import rq_dashboard
from flask import Blueprint, Flask, Response, current_app, g, request
from redis.exceptions import RedisError
from rq.exceptions import DeserializationError, InvalidJobOperation, NoSuchJobError

from synkro.errors import AppError
from synkro.extensions import redis, settings
from synkro.i18n import _l
from synkro.models.states import Role
from synkro.web.access import access
from synkro.web.answers import ADVICE, answer
from synkro.web.security import SAFE

PREFIX = "/admin/rq"
POLLED = frozenset({"list_queues", "list_jobs", "list_workers", "job_info"})
"""What a page asks every few seconds: no sign of a person."""
FILES = frozenset({"static", "favicon"})
PLAIN = re.compile(r"[\w.:-]{1,200}", re.ASCII)
"""Names of queues, registers and jobs: rq-dashboard writes some into its script as they stand in the address."""
ODD_QUESTIONS = (
    NoSuchJobError,
    DeserializationError,
    InvalidJobOperation,
    ValueError,
    LookupError,
    UnboundLocalError,
    ZeroDivisionError,
)
"""What rq-dashboard raises for a job that is gone or no JSON, and for a queue, register or page that is none."""

pages: Blueprint = rq_dashboard.blueprint
pages.before_request_funcs[None] = []  # its own one opens a connection of its own for each request


def init_app(app: Flask) -> None:
    with app.app_context():
        may_act = settings().queue_actions
    # the name stands on the page; the connection is ours
    app.config.update(RQ_DASHBOARD_REDIS_URL=("Redis",), RQ_DASHBOARD_DISABLE_DELETE=not may_act)
    app.register_blueprint(pages, url_prefix=PREFIX)
    app.view_functions["rq_dashboard.static"] = _file
    for rule in app.url_map.iter_rules("rq_dashboard.requeue_all"):
        (rule.methods or set()).difference_update(("GET", "HEAD"))  # a link must not act
    for endpoint, view in app.view_functions.items():
        blueprint, _, name = endpoint.rpartition(".")
        if blueprint == pages.name:
            limit = "poll" if name in POLLED else "static" if name in FILES else "api"
            access(Role.SUPER_ADMIN, fresh="code", limit=limit)(view)


def _file(filename: str) -> Response:
    return pages.send_static_file(filename)


@pages.before_request
def _prepare() -> None:
    """The gate has been passed."""
    asked = {name: str(value) for name, value in (request.view_args or {}).items() if name != "filename"}
    if asked.get("instance_number", "0") != "0" or not all(map(PLAIN.fullmatch, asked.values())):
        raise AppError(404, "not_found", ADVICE[404])
    if request.method not in SAFE and not settings().queue_actions:
        says = _l("Queues can only be looked at here. The setting RQ_DASHBOARD_ACTIONS allows more.")
        raise AppError(403, "queue_actions_off", says)
    current_app.redis_conn = redis()  # type: ignore[attr-defined]
    g.script_nonce = secrets.token_urlsafe(16)


@pages.after_request
def _own_policy(response: Response) -> Response:
    """Its script stands in the page and compiles templates there; the text of a job is no script all the same."""
    nonce = g.get("script_nonce")
    if nonce and response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self'; "
            "style-src-attr 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
            "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
        )
    return response


@pages.errorhandler(RedisError)
def _away(_error: RedisError) -> Response:
    return answer(503, "queues_away")


def _no_such_thing(_error: Exception) -> Response:
    return answer(404, "not_found")


for _kind in ODD_QUESTIONS:
    pages.register_error_handler(_kind, _no_such_thing)
