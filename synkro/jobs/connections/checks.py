"""Checks of connections, made where runs are made: in a worker, with the same keys and calls. Then what they tell."""

from __future__ import annotations

import logging
import uuid

from rq.timeouts import JobTimeoutException

from synkro.infra import clock, queue
from synkro.infra import log as logs
from synkro.services.connections import checks, troubles
from synkro.tenancy import db, tenant_scope

log = logging.getLogger(__name__)


def check(tenant_id: str, kind: str) -> None:
    logs.unbind()
    logs.bind(tenant_id=tenant_id, check=kind, request_id=queue.rung_by())
    with tenant_scope(uuid.UUID(tenant_id)):
        version, began = checks.version_of(kind), clock.now()
        try:
            checks.run(kind)
        except JobTimeoutException:
            db.session().invalidate()  # it may have struck in the middle of a query
            checks.break_off(kind, version, "check_too_long", began)
        except Exception as error:  # a person waits for a colour
            log.error("check broke", exc_info=error)
            checks.break_off(kind, version, "internal", began)
        checks.pass_on(kind)


def tell(tenant_id: str, kind: str) -> None:
    """Letters first: a group that answers late or never is left."""
    logs.unbind()
    logs.bind(tenant_id=tenant_id, check=kind, request_id=queue.rung_by())
    with tenant_scope(uuid.UUID(tenant_id)):
        try:
            troubles.tell(kind)
        except JobTimeoutException:
            db.session().invalidate()
            log.info("group not told", extra={"fields": {"code": "too_slow"}})
