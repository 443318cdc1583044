"""What people try out on a connection: asked for once, made by a worker, its outcome kept for the page and audit."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal

from redis.exceptions import RedisError
from sqlalchemy import Row, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from synkro.crypto import CannotOpen
from synkro.errors import AppError
from synkro.extensions import redis, vault
from synkro.i18n import _l
from synkro.infra import clock, queue
from synkro.integrations import INTEGRATIONS
from synkro.integrations.base import Act
from synkro.integrations.reading import bounded
from synkro.models import IntegrationConfig, JobStep, Trial
from synkro.models.states import StepStatus
from synkro.services import audit
from synkro.services.shared.sealed import SealedText
from synkro.services.shared.sentences import SENTENCES
from synkro.services.shared.wording import sentence
from synkro.tenancy import current_tenant_id, db, end_reading

log = logging.getLogger(__name__)

TRY_OUT = "trial"
WAITING_SECONDS = 300
"""One that no worker has taken up for so long is given up. Those of other companies may lie before it."""
AGAIN_SECONDS = 30
"""A job that was not answered for so long is enqueued again, until the trial is given up."""
MOST_AGAIN = 100
"""Jobs that one tick enqueues."""
PATIENCE_SECONDS = 60
"""One that was taken up is given up so much later than it may take."""
MOST_BYTES = 8_000_000
"""Of a result: a hundred times what three deals or dialogs take."""
State = Literal["waiting", "running", "lost", "done"]


def request(kind: str, act: str, *, by: uuid.UUID | None = None, asked: Mapping[str, Any] | None = None) -> Trial:
    """Ask a worker to try; pressing again while one is under way makes no second one.

    asked: inputs of the act, without any text of people. Raises AppError: 404 for no such act, 503 "queue_away".
    """
    what = _act(kind, act)
    if what is None:
        raise AppError(404, "no_such_act", _l("There is nothing like this to try out"))
    _give_up(kind, act)
    values = {
        "id": uuid.uuid4(),
        "tenant_id": current_tenant_id(),
        "kind": kind,
        "act": act,
        "asked": dict(asked or {}),
    }
    fresh = insert(Trial).values(**values, params={}, asked_by=by, asked_at=clock.now())
    alone = fresh.on_conflict_do_nothing(
        index_elements=["tenant_id", "kind", "act"], index_where=text("finished_at is null")
    )
    made = db.session.execute(alone.returning(Trial.id)).scalar_one_or_none()
    if made:
        audit.record("tried_out", "integration", kind, act=act)
    db.session.commit()
    trial = _newest_first(kind, act)[0]
    if made and not queue.enqueue(redis(), queue.TRIALS, TRY_OUT, trial.tenant_id, trial.id, seconds=what.seconds):
        finish(trial, "red", "queue_away")
        raise AppError(503, "queue_away", SENTENCES["queue_away"])
    return trial


def enqueue_again() -> None:
    """For those that no worker has taken up: their jobs may be lost. A double one finds nothing to begin.

    Needs the system scope.
    """
    for tenant_id, trial_id, kind, act in _unanswered():
        # Redis remembers for as long as it remembers the jobs themselves
        with suppress(RedisError):
            if redis().set(f"trial_enqueued:{trial_id}", 1, nx=True, ex=AGAIN_SECONDS):
                asked = _act(kind, act)
                if asked:
                    queue.enqueue(redis(), queue.TRIALS, TRY_OUT, tenant_id, trial_id, seconds=asked.seconds)


def _unanswered() -> Sequence[Row[uuid.UUID, uuid.UUID, str, str]]:
    now = clock.now()
    waits = (Trial.begun_at.is_(None), Trial.finished_at.is_(None))
    asked = Trial.asked_at.between(now - timedelta(seconds=WAITING_SECONDS), now - timedelta(seconds=AGAIN_SECONDS))
    found = select(Trial.tenant_id, Trial.id, Trial.kind, Trial.act).where(*waits, asked).order_by(Trial.asked_at)
    rows = db.session.execute(found.limit(MOST_AGAIN)).all()
    end_reading()
    return rows


def _act(kind: str, name: str) -> Act | None:
    return INTEGRATIONS[kind].act(name) if kind in INTEGRATIONS else None


def _give_up(kind: str, act: str) -> None:
    """One that nobody will finish any more makes room."""
    trial = latest(kind, act)
    if trial and state(trial) == "lost":
        finish(trial, "red", "no_worker" if trial.begun_at is None else "check_lost")


def state(trial: Trial) -> State:
    if trial.finished_at:
        return "done"
    act = _act(trial.kind, trial.act)
    seconds = act.seconds if act else 0
    since, most = (trial.begun_at, seconds + PATIENCE_SECONDS) if trial.begun_at else (trial.asked_at, WAITING_SECONDS)
    if clock.now() - since > timedelta(seconds=most):
        return "lost"
    return "running" if trial.begun_at else "waiting"


def latest(kind: str, act: str) -> Trial | None:
    return next(iter(_newest_first(kind, act)), None)


def _newest_first(kind: str, act: str) -> Sequence[Trial]:
    """At most one."""
    mine = select(Trial).where(Trial.kind == kind, Trial.act == act).order_by(Trial.asked_at.desc()).limit(1)
    return db.session.execute(mine.execution_options(populate_existing=True)).scalars().all()


def latest_of(kind: str) -> dict[str, Trial]:
    """Act -> the newest one of a service, without those that ended with other settings than are saved now."""
    drawn_on = IntegrationConfig.kind.in_((kind, *INTEGRATIONS[kind].sources))
    saved_at = db.session.execute(select(func.max(IntegrationConfig.saved_at)).where(drawn_on)).scalar_one()
    newest = select(Trial).ext(distinct_on(Trial.act)).order_by(Trial.act, Trial.asked_at.desc())
    mine = newest.where(Trial.kind == kind).execution_options(populate_existing=True)
    return {trial.act: trial for trial in db.session.execute(mine).scalars() if _speaks_for(trial, saved_at)}


def _speaks_for(trial: Trial, saved_at: datetime | None) -> bool:
    act = _act(trial.kind, trial.act)
    if trial.finished_at is None or (act and act.is_lasting):
        return True
    return saved_at is None or trial.asked_at >= saved_at


def begin(trial_id: uuid.UUID) -> Trial | None:
    """A worker takes it up; None where it was taken or given up already."""
    open_one = (Trial.id == trial_id, Trial.begun_at.is_(None), Trial.finished_at.is_(None))
    taken = update(Trial).where(*open_one).values(begun_at=clock.now()).returning(Trial.id)
    found = db.session.execute(taken).scalar_one_or_none()
    db.session.commit()
    return db.session.get(Trial, trial_id, populate_existing=True) if found else None


def finish(
    trial: Trial,
    colour: str,
    code: str,
    params: Mapping[str, Any] | None = None,
    result: Mapping[str, Any] | None = None,
) -> None:
    """The outcome, unless it has one. result: what the page shows and the next act goes on with."""
    # half a surrogate pair, as some messengers cut it, has no bytes in UTF-8
    clear = b"" if result is None else json.dumps(result, ensure_ascii=False).encode(errors="replace")
    if len(clear) > MOST_BYTES:  # the page opens all of it each time that it is looked at
        clear, colour, code, params = b"", "red", "too_large", {"service": str(INTEGRATIONS[trial.kind].title)}
    sealed = vault().seal(clear.decode(), _context(trial.tenant_id, trial.id)) if clear else ""
    values = {"colour": colour, "code": code, "params": bounded(dict(params or {})), "result": sealed}
    still = update(Trial).where(Trial.id == trial.id, Trial.finished_at.is_(None))
    db.session.execute(still.values(finished_at=clock.now(), **values))
    _forget_earlier(trial)
    db.session.commit()


def _forget_earlier(trial: Trial) -> None:
    """Of customers' words the newest of an act are enough."""
    act = _act(trial.kind, trial.act)
    if not (act and act.is_evidence):
        earlier = (Trial.kind == trial.kind, Trial.act == trial.act, Trial.asked_at < trial.asked_at)
        db.session.execute(update(Trial).where(*earlier, Trial.result != "").values(result=""))


def result(trial: Trial | None) -> dict[str, Any] | None:
    """What came of it; None where there is nothing (any more), or nothing that opens: it can be tried out anew."""
    if trial is None or not trial.result:
        return None
    try:
        return dict(json.loads(vault().open(trial.result, _context(trial.tenant_id, trial.id))))
    except CannotOpen:
        log.warning("result of a trial does not open", extra={"fields": {"trial": str(trial.id)}})
        return None


def says(trial: Trial) -> str:
    return sentence(trial.code, trial.params) if trial.code else ""


def is_proved(kind: str, since: datetime | None) -> bool:
    """Whether the connection has done what it is for, in a trial or in a run, since the settings were last saved."""
    proof = INTEGRATIONS[kind].proof
    if proof is None:
        return True
    tried = select(Trial.id).where(Trial.kind == kind, Trial.act == proof.act, Trial.colour == "green")
    # green with nothing done: the period was empty, and not one row or message has arrived
    ended = (JobStep.status == StepStatus.DONE, JobStep.colour == "green", JobStep.done > 0)
    done = select(JobStep.id).where(JobStep.key == proof.step, *ended)
    if since is not None:
        tried, done = tried.where(Trial.asked_at >= since), done.where(JobStep.started_at >= since)
    return any(db.session.execute(one.limit(1)).first() is not None for one in (tried, done))


def purge(days: int) -> None:
    """Forget what is older, over all companies. The rows stay. Needs the system scope."""
    old = (Trial.finished_at < clock.now() - timedelta(days=days), Trial.result != "")
    evidence = [(kind, act.name) for kind, cls in INTEGRATIONS.items() for act in cls.acts if act.is_evidence]
    db.session.execute(update(Trial).where(*old, tuple_(Trial.kind, Trial.act).not_in(evidence)).values(result=""))
    db.session.commit()


def _context(tenant_id: uuid.UUID, trial_id: uuid.UUID) -> str:
    return f"trial|{tenant_id}|{trial_id}"


SEALED = SealedText("results of trials", Trial.result, (Trial.tenant_id, Trial.id), _context)
