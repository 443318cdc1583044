"""A run with its steps and its report in one SELECT: pages that watch it ask every two seconds."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, select

from synkro.models import JobRun, JobStep, Report
from synkro.tenancy import db

OneRow = Row[*tuple[Any, ...]]
Rows = Sequence[OneRow]
"""One a step, in order; the columns of the run stand in each."""

_READ: Select[*tuple[Any, ...]] = (
    select(
        JobRun.id,
        JobRun.number,
        JobRun.kind,
        JobRun.status,
        JobRun.code,
        JobRun.window_start,
        JobRun.window_end,
        JobRun.timezone,
        JobRun.sandbox,
        JobRun.cancel_requested_at,
        JobRun.created_at,
        JobRun.started_at,
        JobRun.finished_at,
        Report.id.label("report_id"),
        JobStep.n.label("step_n"),
        JobStep.key.label("step_key"),
        JobStep.status.label("step_status"),
        JobStep.colour.label("step_colour"),
        JobStep.code.label("step_code"),
        JobStep.params.label("step_params"),
        JobStep.attempts.label("step_attempts"),
        JobStep.done.label("step_done"),
        JobStep.total.label("step_total"),
        JobStep.started_at.label("step_started_at"),
        JobStep.finished_at.label("step_finished_at"),
    )
    .join(JobStep, JobStep.run_id == JobRun.id)
    .outerjoin(Report, Report.run_id == JobRun.id)
    .order_by(JobStep.n)
)


def read(run_id: uuid.UUID) -> Rows | None:
    """None for another company's run as for one that does not exist."""
    return db.session.execute(_READ.where(JobRun.id == run_id)).all() or None


def mark_of(rows: Rows, *also: str) -> str:
    """Changes with anything that is told about the run. also: what else the answer depends on, such as its language."""
    told = repr(([tuple(row) for row in rows], also))
    return hashlib.sha256(told.encode()).hexdigest()[:32]
