"""Checks of connections, made where runs are made: in a worker, with the same keys and calls."""

from __future__ import annotations

import logging
import uuid

from rq.timeouts import JobTimeoutException

from synkro import log as logs
from synkro import queue
from synkro.services.connections import checks
from synkro.tenancy import db, tenant_scope

log = logging.getLogger(__name__)


def check(tenant_id: str, kind: str) -> None:
    logs.unbind()
    logs.bind(tenant_id=tenant_id, check=kind, request_id=queue.rung_by())
    with tenant_scope(uuid.UUID(tenant_id)):
        version = checks.version_of(kind)
        try:
            checks.run(kind)
        except JobTimeoutException:
            db.session().invalidate()  # it may have struck in the middle of a query
            checks.break_off(kind, version, "check_too_long")
        except Exception as error:  # a person waits for a colour
            log.error("check broke", exc_info=error)
            checks.break_off(kind, version, "internal")
