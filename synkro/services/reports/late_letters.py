"""The letter about a report that is late: where it is, and what keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext

from synkro.analysis.figures.window import Window
from synkro.mail import Letter
from synkro.models import JobRun, JobStep, Tenant
from synkro.models.plan import StepKey, step_of
from synkro.models.states import ACTIVE_RUN, RunKind, RunStatus, StepStatus
from synkro.services.mail import letters
from synkro.services.mail.letters import Reader, Words
from synkro.services.reports import runs
from synkro.services.shared.wording import sentence


@dataclass(frozen=True, slots=True)
class Late:
    """A window whose report should have been in the group by `until`. run None: it has not begun."""

    tenant: Tenant
    kind: RunKind
    window: Window
    until: datetime
    run: JobRun | None

    @property
    def name(self) -> str:
        """What the audit knows it by: one window of one schedule has one report."""
        return f"{self.kind} {self.window.end.isoformat()}"


def written(reader: Reader, late: Late) -> Letter:
    def words(reader: Reader) -> Words:
        when = letters.at(reader, late.until)
        return Words(
            subject=gettext("The report of %(company)s is late", company=reader.company),
            lines=[
                gettext("By %(when)s the report should have been in the Telegram group. It is not.", when=when),
                _state(late.run),
            ],
            bye=gettext("You get one letter for a late report. Open Synkro to see how it goes on."),
        )

    return letters.written(reader, words)


def _state(run: JobRun | None) -> str:
    if run is None:
        return str(gettext("It has not begun: another report is being made, or the server was away."))
    if run.status == RunStatus.CANCELLED:
        return str(gettext("Somebody has stopped it."))
    steps = runs.steps_of(run.id)
    step = _telling_step(run, steps)
    words = {"n": step.n, "all": len(steps), "title": str(step_of(step.key).title)}
    says = sentence(step.code, step.params) if step.code else ""
    if run.status == RunStatus.FAILED:
        return " ".join([gettext("It failed at step %(n)s of %(all)s: %(title)s.", **words), says]).strip()
    if run.status in ACTIVE_RUN:
        return " ".join([gettext("It is at step %(n)s of %(all)s: %(title)s.", **words), says]).strip()
    return " ".join([gettext("It is ready in the cabinet."), says]).strip()


def _telling_step(run: JobRun, steps: list[JobStep]) -> JobStep:
    """Of a run that succeeded the one that sends, else the first that is not done."""
    if run.status == RunStatus.SUCCEEDED:
        return next(step for step in steps if step.key == StepKey.NOTIFY_TELEGRAM)
    return next((step for step in steps if step.status != StepStatus.DONE), steps[0])
