"""What waits, works and failed in the whole installation: counts and names of companies, never what they read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from synkro.models import SystemMark
from synkro.services.audit import heads
from synkro.services.operations import health, queue_state, schema
from synkro.services.operations.queue_state import QueueState
from synkro.services.operations.schema import Fit
from synkro.tenancy import db, system_scope

LONGEST_ANSWER_MS = 2_000
"""A page about a database that is slow must not be slow itself."""
MOST_FAILURES = 50


@dataclass(frozen=True, slots=True)
class Failure:
    step: str
    code: str
    runs: int
    companies: list[str]


@dataclass(frozen=True, slots=True)
class Work:
    """steps: of runs at work. late: ready for over a minute; enqueued_again: how many of these;
    enqueued_at: when the last job was sent.

    letters: still to be sent; unsent: given up within a day.
    """

    runs: dict[str, int]
    steps: dict[str, int]
    expired: int
    late: int
    enqueued_again: int
    enqueued_at: datetime | None
    letters: int
    unsent: int
    failures: list[Failure]


@dataclass(frozen=True, slots=True)
class Installation:
    """None: this part could not be read. tick: seconds since the last. undone: its duties that failed."""

    state: dict[str, str]
    tick: int | None
    undone: list[str] | None
    schema: Fit | None
    heads_kept: datetime | None
    queue_state: QueueState
    work: Work | None

    @property
    def colour(self) -> str:
        """red: nothing can go on; yellow: somebody should look; else green."""
        serves = self.schema is not None and self.schema.serves
        if "down" in self.state.values() or not serves or not self.work or self.queue_state.queues is None:
            return "red"
        waits = self.work.expired or self.work.late or self.work.unsent or self.state["tick"] in ("late", "partly")
        idle = any(line.workers == 0 for line in self.queue_state.queues) or any(
            one.is_late for one in self.queue_state.workers
        )
        return "yellow" if waits or idle or self.schema == Fit.AHEAD else "green"


_RUNS = text("select status, count(*) as n from job_runs group by status")
_STEPS = text("""
    select s.status, count(*) as n from job_steps s join job_runs r on r.id = s.run_id
     where r.status in ('queued', 'running') group by s.status""")
_LATE = text("""
    select count(*) filter (where s.status = 'running' and s.lease_until < now()) as expired,
           count(*) filter (where s.status = 'ready' and s.ready_at < now() - interval '1 minute') as late,
           count(*) filter (where s.status = 'ready' and s.ready_at < now() - interval '1 minute'
                              and s.enqueued_at > s.ready_at + interval '1 second') as enqueued_again,
           max(s.enqueued_at)
             filter (where s.status = 'ready' and s.ready_at < now() - interval '1 minute') as enqueued_at
      from job_steps s join job_runs r on r.id = s.run_id
     where s.status in ('ready', 'running') and r.status in ('queued', 'running')""")
_LETTERS = text("""
    select count(*) filter (where next_at is not null) as letters,
           count(*) filter (where next_at is null and sent_at is null
                              and created_at > now() - interval '24 hours') as unsent
      from letters""")
_FAILURES = text("""
    select s.key as step, coalesce(r.code, '') as code, count(*) as runs, array_agg(distinct t.name) as companies
      from job_runs r join job_steps s on s.run_id = r.id and s.status = 'failed' join tenants t on t.id = r.tenant_id
     where r.status = 'failed' and r.finished_at > now() - interval '24 hours'
     group by s.key, coalesce(r.code, '') order by runs desc, step, code limit :most""")


def installation() -> Installation:
    """Each part for itself: one that is away leaves the others on the page."""
    state = health.state()
    return Installation(
        state=state,
        tick=queue_state.age(_read(health.last_tick)),
        undone=_read(health.undone),
        schema=_read(schema.fit),
        heads_kept=_read(_heads_mark),
        queue_state=queue_state.read() if state["redis"] == "up" else QueueState(),
        work=_read(_work),
    )


def _read(part: Callable[[], Any]) -> Any:
    try:
        return part()
    except SQLAlchemyError:
        return None
    finally:
        db.session.rollback()


def _heads_mark() -> datetime | None:
    mark = db.session.get(SystemMark, heads.MARK, populate_existing=True)
    return mark.at if mark else None


def _work() -> Work:
    with system_scope("health: counts over the runs of all companies"):
        db.session.execute(text(f"set local statement_timeout = {LONGEST_ANSWER_MS}"))
        late, mail = db.session.execute(_LATE).one(), db.session.execute(_LETTERS).one()
        return Work(
            runs={row.status: row.n for row in db.session.execute(_RUNS)},
            steps={row.status: row.n for row in db.session.execute(_STEPS)},
            expired=late.expired,
            late=late.late,
            enqueued_again=late.enqueued_again,
            enqueued_at=late.enqueued_at,
            letters=mail.letters,
            unsent=mail.unsent,
            failures=[Failure(*row) for row in db.session.execute(_FAILURES, {"most": MOST_FAILURES})],
        )
