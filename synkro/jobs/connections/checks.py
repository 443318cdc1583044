"""Checks of connections, made where runs are made: in a worker, with the same keys and calls. Then what they tell."""

from __future__ import annotations

import logging

from rq.timeouts import JobTimeoutException

from synkro.infra import clock
from synkro.jobs.shared import frame
from synkro.services.connections import checks, connection_alerts
from synkro.tenancy import db

log = logging.getLogger(__name__)


def check(tenant_id: str, kind: str) -> None:
    with frame.job(tenant_id, check=kind):
        version, began = checks.version_of(kind), clock.now()
        with frame.ended("check", lambda code: checks.break_off(kind, version, code, began), too_long="check_too_long"):
            checks.run(kind)
        checks.pass_on(kind)


def tell(tenant_id: str, kind: str) -> None:
    """Letters first: a group that answers late or never is left."""
    with frame.job(tenant_id, check=kind):
        try:
            connection_alerts.tell(kind)
        except JobTimeoutException:
            db.session().invalidate()
            log.info("group not told", extra={"fields": {"code": "too_slow"}})
