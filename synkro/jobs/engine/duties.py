"""Duties of the tick: each for itself, so that one that fails keeps none of the others from being done."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterable
from contextlib import suppress

from rq import get_current_job
from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import OperationalError

from synkro.jobs.shared.duty import Duty
from synkro.tenancy import db

log = logging.getLogger(__name__)

SLOW_SECONDS = 5
REST_SECONDS = 20
"""For each that follows, once the time limit of the tick has struck."""


def fulfil(duties: Iterable[Duty]) -> list[str]:
    """Do them in their order. The names of those that failed."""
    return [duty.name for duty in duties if not _is_done(duty)]


def _is_done(duty: Duty) -> bool:
    began = time.monotonic()
    try:
        duty.do()
    except Exception as error:  # whatever it is: the others have to be done
        log.error("duty failed", exc_info=error, extra={"fields": _fields(duty, began)})
        _clear_up(error)
        return False
    if time.monotonic() - began > SLOW_SECONDS:
        log.warning("duty slow", extra={"fields": _fields(duty, began)})
    return True


def _fields(duty: Duty, began: float) -> dict[str, str | float]:
    return {"duty": duty.name, "seconds": round(time.monotonic() - began, 3)}


def _clear_up(error: Exception) -> None:
    if isinstance(error, JobTimeoutException) and get_current_job():
        signal.alarm(REST_SECONDS)  # it strikes once, and what follows could hang as well
    with suppress(OperationalError):  # the connection broke: nothing is left to roll back
        db.session.remove()
