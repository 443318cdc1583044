"""Trials of connections, made where runs are made: in a worker, with the same keys and calls."""

from __future__ import annotations

import logging
import uuid

from rq.timeouts import JobTimeoutException

from synkro.infra import log as logs
from synkro.infra import queue
from synkro.integrations.errors import ApiError
from synkro.jobs.connections.acts import act_of
from synkro.models import Trial
from synkro.services.connections import trials
from synkro.tenancy import db, tenant_scope

log = logging.getLogger(__name__)


def try_out(tenant_id: str, trial_id: str) -> None:
    logs.unbind()
    logs.bind(tenant_id=tenant_id, trial=trial_id, request_id=queue.rung_by())
    with tenant_scope(uuid.UUID(tenant_id)):
        trial = trials.begin(uuid.UUID(trial_id))
        if trial is None:
            return
        try:
            tried = act_of(trial.kind, trial.act)(trial)
            trials.finish(trial, tried.colour, tried.code, tried.params, tried.result)
        except ApiError as error:
            db.session.rollback()
            trials.finish(trial, "red", error.code, error.params)
        except JobTimeoutException:
            db.session().invalidate()  # it may have struck in the middle of a query; what was loaded is gone with it
            trials.finish(db.session.get_one(Trial, uuid.UUID(trial_id)), "red", "check_too_long")
        except Exception as error:  # a person waits for a colour
            log.error("trial broke", exc_info=error)
            db.session.rollback()
            trials.finish(trial, "red", "internal")
