"""A step of a run as a circle and a line of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from synkro.blueprints.shared import formats
from synkro.infra import clock
from synkro.models.plan import step_of
from synkro.models.states import StepStatus
from synkro.services.reports.progress import OneRow
from synkro.services.shared.wording import remarks


@dataclass(frozen=True, slots=True)
class StepView:
    """One circle. seconds: how long the work took or takes; None before the start. says: the remark or the fault."""

    n: int
    key: str
    title: str
    short_title: str
    status: str
    colour: str
    says: str
    done: int
    total: int | None
    seconds: int | None
    attempts: int

    def to_json(self) -> dict[str, Any]:
        names = ("n", "key", "title", "status", "colour", "says", "done", "total", "attempts")
        return {name: getattr(self, name) for name in names}


def step_view(row: OneRow) -> StepView:
    plan = step_of(row.step_key)
    return StepView(
        n=row.step_n,
        key=row.step_key,
        title=str(plan.title),
        short_title=str(plan.short),
        status=row.step_status,
        colour=row.step_colour or "",
        says=_says(row),
        done=row.step_done,
        total=row.step_total,
        seconds=_seconds(row),
        attempts=row.step_attempts,
    )


def _seconds(row: OneRow) -> int | None:
    end = clock.now() if row.step_status == StepStatus.RUNNING else row.step_finished_at
    if row.step_started_at is None or end is None:
        return None
    return max(int((end - row.step_started_at).total_seconds()), 0)


def _says(row: OneRow) -> str:
    """The fault or the remark; without one, what a finished step has done. Then what else is worth knowing."""
    counted, told = _counted(row), remarks(row.step_code, row.step_params)
    return f"{counted}. {told}" if counted and told else counted or told


def _counted(row: OneRow) -> str:
    counted = step_of(row.step_key).counted
    if row.step_code or row.step_status != StepStatus.DONE or not counted:
        return ""
    return str(counted) % {"count": formats.number(row.step_done)}
