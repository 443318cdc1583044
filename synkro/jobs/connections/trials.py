"""Trials of connections, made where runs are made: in a worker, with the same keys and calls."""

from __future__ import annotations

import uuid

from synkro.integrations.errors import ApiError
from synkro.jobs.connections.acts import act_of
from synkro.jobs.shared import frame
from synkro.models import Trial
from synkro.services.connections import trials
from synkro.tenancy import db


def try_out(tenant_id: str, trial_id: str) -> None:
    with frame.job(tenant_id, trial=trial_id):
        trial = trials.begin(uuid.UUID(trial_id))
        if trial is not None:
            with frame.ended("trial", lambda code: _fail(trial_id, code), too_long="check_too_long"):
                _try(trial)


def _try(trial: Trial) -> None:
    try:
        tried = act_of(trial.kind, trial.act)(trial)
        trials.finish(trial, tried.colour, tried.code, tried.params, tried.result)
    except ApiError as error:
        db.session.rollback()
        trials.finish(trial, "red", error.code, error.params)


def _fail(trial_id: str, code: str) -> None:
    trials.finish(db.session.get_one(Trial, uuid.UUID(trial_id)), "red", code)
