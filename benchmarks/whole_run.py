"""A whole run under the vendors' limits, beside the shortest time that these limits leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.figures import line, title
from benchmarks.installation import Installation, installation
from benchmarks.stand_ins import Size
from benchmarks.vendors import logged
from synkro.infra.queue import QUEUES
from synkro.integrations.amocrm.rules import PER_SECOND
from synkro.integrations.radist.client import ALL_PER_SECOND, CHATS_PER_SECOND
from synkro.models import JobRun, JobStep
from synkro.services.reports import runs
from synkro.tenancy import tenant_scope

SIZE = Size(leads=1_000, chats=600, messages=20)
LONGEST_SECONDS = 500


@dataclass(frozen=True, slots=True)
class Bound:
    """The time that a number of requests takes at the pace that is allowed; the first one goes at once."""

    name: str
    requests: int
    per_second: float

    @property
    def seconds(self) -> float:
        return max(0, self.requests - 1) / self.per_second


def measure() -> bool:
    title(f"run: {SIZE.leads} leads and {SIZE.chats} chats of {SIZE.messages} messages, at the vendors' real pace")
    now = datetime.now(UTC)
    with installation(SIZE, now) as here:
        here.start("worker", "flask", "--app", "wsgi", "worker")
        here.start("scheduler", "flask", "--app", "wsgi", "scheduler")
        here.await_workers(len(QUEUES))
        run_id = here.start_run(now)
        run = here.processes.patiently(lambda: here.ended_run(run_id), LONGEST_SECONDS, pause=0.2)
        with tenant_scope(here.tenant.id):
            steps = runs.steps_of(run_id)
        bounds, refused = _bounds(here, run)
    _print(run, steps, bounds, refused)
    return True


def _bounds(here: Installation, run: JobRun) -> tuple[list[Bound], int]:
    """What the stand-ins logged between the run's start and its end, by the class of pace; and the refusals among."""
    amocrm, radist = (_within(logged(here.urls[kind]), run) for kind in ("amocrm", "radist"))
    chats = [row for row in radist if "/chats/" in str(row["path"])]
    bounds = [
        Bound("amoCRM", len(amocrm), PER_SECOND),
        Bound("Radist, all", len(radist), ALL_PER_SECOND),
        Bound("Radist, chats", len(chats), CHATS_PER_SECOND),
    ]
    return bounds, sum(row["status"] == 429 for row in (*amocrm, *radist))


def _within(log: list[dict[str, object]], run: JobRun) -> list[Mapping[str, object]]:
    began, ended = run.created_at.timestamp(), _seconds(run) + run.created_at.timestamp()
    return [row for row in log if began <= float(str(row["at"])) <= ended]


def _seconds(run: JobRun) -> float:
    if run.finished_at is None:
        raise SystemExit("the run has no end")
    return (run.finished_at - run.created_at).total_seconds()


def _print(run: JobRun, steps: list[JobStep], bounds: list[Bound], refused: int) -> None:
    for bound in bounds:
        line(f"{bound.name}: requests at {bound.per_second}/s", f"{bound.requests} = {bound.seconds:.1f} s")
    for step in steps:
        if step.started_at and step.finished_at:
            line(f"step {step.key}", f"{(step.finished_at - step.started_at).total_seconds():.1f} s")
    line("requests refused by the vendors for their rate (429)", str(refused))
    amocrm, radist = bounds[0].seconds, max(bounds[1].seconds, bounds[2].seconds)
    wall, least = _seconds(run), max(amocrm, radist)
    line("bound: the slowest vendor alone", f"{least:.1f} s")
    line("bound: amoCRM, then Radist, which needs its phones", f"{amocrm + radist:.1f} s")
    line("the run from the press of the button to its end", f"{wall:.1f} s")
    line("ratio to the slowest vendor alone", f"{wall / least:.2f}")
    line("ratio to one after the other", f"{wall / (amocrm + radist):.2f}")
