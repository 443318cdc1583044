"""Where a step stands: every move is one conditional UPDATE, and the number of rows decides who made it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from synkro.models.plan import BY_KEY
from synkro.services import audit
from synkro.tenancy import db

LONGEST_PAUSE = 3_600
"""Seconds. A vendor who asks for more is not waited for so long: a run may not sleep for days."""


@dataclass(frozen=True, slots=True)
class StepClaim:
    """The right to work on a step. It ends when somebody else's claim raises the fence."""

    step_id: uuid.UUID
    tenant_id: uuid.UUID
    run_id: uuid.UUID
    key: str
    fence: int
    attempt: int
    cursor: dict[str, Any]


class LeaseLost(Exception):
    """The claim has ended: another worker took over, or the run was stopped. The work so far is not committed."""


# The run is locked first, as by the one who stops it: a step of a run that is being closed cannot be taken.
_CLAIM = text("""
    with live as (
        select id from job_runs
         where id = :run_id and status in ('queued', 'running') and cancel_requested_at is null for update
    ), mine as (
        update job_steps s
           set status = 'running', attempts = s.attempts + 1, fence = s.fence + 1,
               lease_until = now() + make_interval(secs => :lease), started_at = coalesce(s.started_at, now()),
               finished_at = null, code = null, colour = null, params = '{}'
          from live
         where s.run_id = live.id and s.key = :key and s.key = any(:known)
           and s.status = 'ready' and s.ready_at <= now()
     returning s.id, s.tenant_id, s.run_id, s.key, s.fence, s.attempts, s.cursor
    ), begun as (
        update job_runs set status = 'running', started_at = coalesce(started_at, now())
         where id = (select run_id from mine) and status = 'queued'
    )
    select * from mine""")

_RENEW = text("""
    update job_steps s
       set lease_until = now() + make_interval(secs => :lease), done = :done, total = :total
      from job_runs r
     where s.id = :id and s.fence = :fence and s.status = 'running'
       and r.id = s.run_id and r.cancel_requested_at is null""")

_HOLD = text("select 1 from job_steps where id = :id and fence = :fence and status = 'running' for update")

_CURSOR = text("update job_steps set cursor = cast(:cursor as jsonb), done = :done, total = :total where id = :id")

_FINISH = text("""
    with quick as (
        -- a finish that a crash of the database loses is a step done twice, which steps can bear: no wait for the disk
        select set_config('synchronous_commit', 'off', true) as mode
    ), mine as (
        update job_steps
           set status = 'done', colour = :colour, code = :code, params = cast(:params as jsonb), lease_until = null,
               done = :done, total = :total, finished_at = now()
         where id = :id and fence = :fence and status = 'running'
     returning run_id, n
    ), following as (
        update job_steps s set status = 'ready', ready_at = now(), enqueued_at = now()
          from mine where s.run_id = mine.run_id and s.n = mine.n + 1 and s.status = 'pending'
     returning s.key
    ), ended as (
        update job_runs r set status = 'succeeded', finished_at = now()
          from mine where r.id = mine.run_id and r.status = 'running'
           and mine.n = (select max(n) from job_steps where run_id = mine.run_id)
    )
    select (select key from following) as following, (select mode from quick) as mode from mine""")

_AGAIN = text("""
    update job_steps
       set status = 'ready', ready_at = now() + make_interval(secs => :pause), enqueued_at = null, lease_until = null,
           code = :code, params = cast(:params as jsonb), attempts = attempts - :uncounted
     where id = :id and fence = :fence and status = 'running'""")

_LET_GO = text("""
    update job_steps set lease_until = now() - interval '1 second'
     where id = :id and fence = :fence and status = 'running'""")

_FAIL = text("""
    with mine as (
        update job_steps
           set status = 'failed', colour = 'red', code = :code, params = cast(:params as jsonb), lease_until = null,
               finished_at = now()
         where id = :id and fence = :fence and status = 'running'
     returning run_id
    ), rest as (
        update job_steps s set status = 'cancelled' from mine where s.run_id = mine.run_id and s.status = 'pending'
    )
    update job_runs r set status = 'failed', finished_at = now(), code = :code
      from mine where r.id = mine.run_id and r.status = 'running'""")


def _known() -> list[str]:
    """What may be taken, returned and enqueued here: while two releases work, the newer one may have more."""
    return [str(key) for key in BY_KEY]


def claim(run_id: uuid.UUID, key: str, lease_seconds: int) -> StepClaim | None:
    """Take a ready step. None: a stale job, another tenant's step, or one that only a newer release knows."""
    values = {"run_id": run_id, "key": key, "known": _known(), "lease": lease_seconds}
    found = db.session.execute(_CLAIM, values).one_or_none()
    db.session.commit()
    if found is None:
        return None
    return StepClaim(found.id, found.tenant_id, found.run_id, found.key, found.fence, found.attempts, found.cursor)


def renew(connection: Connection, held: StepClaim, lease_seconds: int, done: int, total: int | None) -> bool:
    """Push the lease on. False: the claim is lost or the run is being stopped."""
    values = {"id": held.step_id, "fence": held.fence, "lease": lease_seconds, "done": done, "total": total}
    return connection.execute(_RENEW, values).rowcount == 1


def hold(held: StepClaim) -> None:
    """Inside a transaction: whatever it writes is written by the holder of the claim. Raises LeaseLost."""
    if db.session.execute(_HOLD, {"id": held.step_id, "fence": held.fence}).one_or_none() is None:
        db.session.rollback()
        raise LeaseLost


def keep_cursor(held: StepClaim, cursor_json: str, done: int, total: int | None) -> None:
    """Remember where a resumed try goes on. Needs the claim. The caller commits."""
    db.session.execute(_CURSOR, {"id": held.step_id, "cursor": cursor_json, "done": done, "total": total})


def finish(
    held: StepClaim, colour: str, code: str | None, params_json: str, done: int, total: int | None
) -> str | None:
    """Step done, its successor ready or the run succeeded: one statement. The successor's key. Raises LeaseLost."""
    values = {
        "id": held.step_id, "fence": held.fence, "colour": colour, "code": code, "params": params_json,
        "done": done, "total": total,
    }  # fmt: skip
    row = db.session.execute(_FINISH, values).one_or_none()
    db.session.commit()
    if row is None:
        raise LeaseLost
    return str(row.following) if row.following else None


def try_again(held: StepClaim, code: str, params_json: str, pause: float, *, counted: bool = True) -> None:
    """Back to ready after a pause. counted=False: the try was interrupted by us (a stopping worker)."""
    values = {
        "id": held.step_id, "fence": held.fence, "code": code, "params": params_json, "pause": pause,
        "uncounted": 0 if counted else 1,
    }  # fmt: skip
    db.session.execute(_AGAIN, values)
    db.session.commit()


def fail(held: StepClaim, code: str, params_json: str) -> None:
    """The step and its run have failed; a person may continue the run from here later."""
    _fail(held, code, params_json)
    db.session.commit()


def _fail(held: StepClaim, code: str, params_json: str) -> None:
    values = {"id": held.step_id, "fence": held.fence, "code": code, "params": params_json}
    if db.session.execute(_FAIL, values).rowcount:  # type: ignore[attr-defined]
        audit.record("run_failed", "run", held.run_id, tenant_id=held.tenant_id, step=held.key, code=code)


def let_go(held: StepClaim) -> None:
    """The work on a step of a stopped run has ended: the run is over now, not when the lease runs out."""
    db.session.execute(_LET_GO, {"id": held.step_id, "fence": held.fence})
    db.session.execute(_CLOSE_STOPPED)
    db.session.commit()


def next_pause(key: str, attempt: int) -> int | None:
    """Seconds before the next try; None when the tries are used up."""
    waits = BY_KEY[key].waits
    return waits[attempt - 1] if attempt <= len(waits) else None


@dataclass(frozen=True, slots=True)
class DueStep:
    """A step that is due and has to be enqueued."""

    tenant_id: uuid.UUID
    run_id: uuid.UUID
    key: str


_EXPIRED = text("""
    select id, tenant_id, run_id, key, fence, attempts, cursor from job_steps
     where status = 'running' and lease_until < now() and key = any(:known) for update skip locked""")

_DUE = text("""
    update job_steps s set enqueued_at = now()
      from job_runs r
     where s.id in (select w.id from job_steps w join job_runs a on a.id = w.run_id
                     where w.status = 'ready' and w.ready_at <= now() and w.key = any(:known)
                       and (w.enqueued_at is null or w.enqueued_at < now() - make_interval(secs => :quiet))
                       and a.status in ('queued', 'running') and a.cancel_requested_at is null
                     order by w.ready_at limit 500 for update of w skip locked)
       and r.id = s.run_id
 returning s.tenant_id, s.run_id, s.key""")

_CLOSE_STOPPED = text("""
    with stopped as (
        update job_runs r set status = 'cancelled', finished_at = now()
         where r.status in ('queued', 'running') and r.cancel_requested_at is not null
           and not exists (select 1 from job_steps s
                            where s.run_id = r.id and s.status = 'running' and s.lease_until >= now())
     returning r.id)
    update job_steps s set status = 'cancelled', lease_until = null
      from stopped where s.run_id = stopped.id and s.status in ('pending', 'ready', 'running')""")


def return_expired() -> int:
    """Steps whose worker died go back to ready, or fail when their tries are used up. Needs the system scope."""
    expired = db.session.execute(_EXPIRED, {"known": _known()}).all()
    for row in expired:
        held = StepClaim(row.id, row.tenant_id, row.run_id, row.key, row.fence, row.attempts, row.cursor)
        if held.attempt < BY_KEY[held.key].most_attempts:
            values = {"id": held.step_id, "fence": held.fence, "code": None, "params": "{}", "pause": 0, "uncounted": 0}
            db.session.execute(_AGAIN, values)
        else:
            _fail(held, "step_died", "{}")
    db.session.commit()
    return len(expired)


def close_stopped() -> None:
    """Runs that a person stopped and that no worker holds any more. Closes what the scope may see."""
    db.session.execute(_CLOSE_STOPPED)
    db.session.commit()


def due(quiet_seconds: int) -> list[DueStep]:
    """Steps that are due and were not enqueued lately; they count as enqueued from now. Needs the system scope."""
    rows = db.session.execute(_DUE, {"quiet": quiet_seconds, "known": _known()}).all()
    db.session.commit()
    return [DueStep(row.tenant_id, row.run_id, row.key) for row in rows]
