"""The letter about a report that is late: where it is, and what keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext
from sqlalchemy import select

from synkro.analysis.figures.window import Window
from synkro.mail import Letter
from synkro.models import JobRun, JobStep, Tenant
from synkro.models.plan import BY_KEY, PLAN, StepKey
from synkro.models.states import ACTIVE_RUN, Kind, RunStatus, StepStatus
from synkro.services.mail import letters
from synkro.services.mail.letters import Reader, Words
from synkro.services.shared.wording import sentence
from synkro.tenancy import db


@dataclass(frozen=True, slots=True)
class Late:
    """A window whose report should have been in the group by `until`. run None: it has not begun."""

    tenant: Tenant
    kind: Kind
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
    step = _telling_step(run)
    words = {"n": step.n, "all": len(PLAN), "title": str(BY_KEY[StepKey(step.key)].title)}
    says = sentence(step.code, step.params) if step.code else ""
    if run.status == RunStatus.FAILED:
        return " ".join([gettext("It failed at step %(n)s of %(all)s: %(title)s.", **words), says]).strip()
    if run.status in ACTIVE_RUN:
        return " ".join([gettext("It is at step %(n)s of %(all)s: %(title)s.", **words), says]).strip()
    return " ".join([gettext("It is ready in the cabinet."), says]).strip()


def _telling_step(run: JobRun) -> JobStep:
    """The first that is not done, else the last."""
    statement = select(JobStep).where(JobStep.run_id == run.id).order_by(JobStep.status == StepStatus.DONE, JobStep.n)
    steps = list(db.session.execute(statement).scalars())
    return steps[-1] if run.status == RunStatus.SUCCEEDED else steps[0]
