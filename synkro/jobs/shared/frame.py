"""What every job has around it: whose it is in the log and in the database, and that it comes to an end of its own."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from rq.timeouts import JobTimeoutException

from synkro.infra import log as logs
from synkro.infra import queue
from synkro.tenancy import db, tenant_scope

log = logging.getLogger(__name__)


@contextmanager
def job(tenant_id: str | None = None, **ids: str) -> Iterator[None]:
    """Around all of a job. tenant_id: whose it is, None where it is nobody's. ids: what its log lines name as well."""
    logs.unbind()
    logs.bind(tenant_id=tenant_id, **ids, request_id=queue.request_id_of_job())
    with tenant_scope(uuid.UUID(tenant_id)) if tenant_id else nullcontext():
        yield


@contextmanager
def ended(what: str, end: Callable[[str], object], *, too_long: str) -> Iterator[None]:
    """Around work that somebody waits for: a time limit and a bug are ends as well, told to `end` by their codes.

    what: the log says that it broke. Whatever the work has loaded and not committed is gone by then.
    """
    try:
        yield
    except JobTimeoutException:
        db.session().invalidate()  # it may have struck in the middle of a query
        end(too_long)
    except Exception as error:
        log.error("%s broke", what, exc_info=error)
        db.session.rollback()
        end("internal")
