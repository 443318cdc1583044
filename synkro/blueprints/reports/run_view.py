"""A run as its page shows it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from flask import url_for
from flask_babel import gettext
from flask_login import current_user

from synkro.blueprints.reports.step_view import StepView, step_view
from synkro.blueprints.shared import formats, reader
from synkro.integrations import INTEGRATIONS
from synkro.models.plan import step_of
from synkro.models.states import ACTIVE_RUN, RunStatus, StepStatus
from synkro.services.reports import deliveries
from synkro.services.reports.progress import OneRow, Rows
from synkro.services.shared.wording import sentence

WayOn = Literal["", "continue", "send_again"]

LOOK_SECONDS, WAITING_SECONDS = 2, 10


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a run failed. url: where it is mended, and the words for going there; empty for whoever may not mend it."""

    title: str
    text: str
    url: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class RunView:
    """What the pages in reports/runs/ need. poll: seconds to the next look, 0 when nothing changes.

    way_on: how people can take an ended run further; nobody can while the company is paused.
    """

    id: uuid.UUID
    number: int
    kind: str
    status: str
    colour: str
    sandbox: bool
    window_text: str
    zone_text: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    report_id: uuid.UUID | None
    problem: Problem | None
    steps: list[StepView]
    poll: int
    way_on: WayOn
    is_paused: bool

    @property
    def current(self) -> StepView | None:
        """The first step that is not over."""
        over = (StepStatus.DONE, StepStatus.SKIPPED)
        return next((step for step in self.steps if step.status not in over), None)

    @property
    def remark(self) -> str:
        """The first remark of a step that is done."""
        return next((step.says for step in self.steps if step.colour == "yellow"), "")


def view(rows: Rows) -> RunView:
    run = rows[0]
    steps = [step_view(row) for row in rows]
    way_on = _way_on(rows)
    with_remark = run.status == RunStatus.SUCCEEDED and any(step.colour == "yellow" for step in steps)
    return RunView(
        id=run.id,
        number=run.number,
        kind=run.kind,
        status=run.status,
        colour="yellow" if with_remark else "",
        sandbox=run.sandbox,
        window_text=formats.period(run.window_start, run.window_end, ZoneInfo(run.timezone)),
        zone_text=formats.zone_text(run.timezone),
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        report_id=run.report_id,
        problem=_problem(run, steps) if run.status == RunStatus.FAILED else None,
        steps=steps,
        poll=_poll(run, steps),
        way_on=way_on,
        is_paused=bool(way_on) and reader.my_company().is_paused,
    )


def _way_on(rows: Rows) -> WayOn:
    status = rows[0].status
    if rows[0].code == "pages_deleted":
        return ""
    if status in (RunStatus.FAILED, RunStatus.CANCELLED):
        return "continue"
    in_doubt = any(row.step_code in deliveries.IN_DOUBT for row in rows)
    return "send_again" if status == RunStatus.SUCCEEDED and in_doubt else ""


def _problem(run: OneRow, steps: Sequence[StepView]) -> Problem:
    failed = next((step for step in steps if step.status == StepStatus.FAILED), None)
    if failed is None:
        return Problem(gettext("The report was not made"), sentence(run.code, {}) if run.code else "")
    title = gettext("Step %(n)s failed: %(title)s", n=failed.n, title=failed.title)
    kind = step_of(failed.key).service
    if not kind or not current_user.can_manage_settings:
        return Problem(title, failed.says)
    action = gettext("Look into the settings of %(service)s", service=INTEGRATIONS[kind].title)
    return Problem(title, failed.says, url_for("settings.show", kind=kind), action)


def _poll(run: OneRow, steps: Sequence[StepView]) -> int:
    if run.status not in ACTIVE_RUN:
        return 0
    busy = any(step.status == StepStatus.RUNNING for step in steps)
    tried = any(step.status == StepStatus.READY and step.attempts for step in steps)
    return WAITING_SECONDS if tried and not busy else LOOK_SECONDS
