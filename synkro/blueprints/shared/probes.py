"""What monitors are told. Trouble is never hidden from them, not by a limit either."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Response, jsonify, request
from sqlalchemy.exc import OperationalError

from synkro.infra import clock
from synkro.services.operations import health, schema

Told = tuple[dict[str, object], int]
"""What stands in the answer, and its status."""
KEPT = timedelta(seconds=1)
"""Beyond its limit a monitor makes us look no more often than that, in each process."""
_last: dict[str, tuple[datetime, Told]] = {}


def healthy() -> Told:
    state = health.state()
    bad = "down" in (state["database"], state["redis"])
    return {**state}, 503 if bad else 200


def ready() -> Told:
    try:
        fit, rights = schema.fit(), health.is_bound()
    except OperationalError:
        return {"database": "down"}, 503
    return {"schema": fit, "rights": rights}, 200 if fit.serves and rights else 503


ASKED: dict[str, Callable[[], Told]] = {"public.healthy": healthy, "public.ready": ready}


def trouble() -> Response | None:
    """The answer to a monitor beyond its limit while something is wrong. None: all is well, or nobody of them asks."""
    endpoint = request.endpoint or ""
    if endpoint not in ASKED:
        return None
    now = clock.now()
    at, told = _last.get(endpoint, (now - KEPT, None))
    if told is None or now - at >= KEPT:
        told = ASKED[endpoint]()
        _last[endpoint] = (now, told)
    return None if told[1] == 200 else answer(told)


def answer(told: Told) -> Response:
    parts, status = told
    response = jsonify(parts)
    response.status_code = status
    return response
