"""Letters on their way: sealed and stored in the transaction of the act, sent by a worker, tried again, given up."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.engine import CursorResult

from synkro.crypto import CannotOpen
from synkro.extensions import redis, vault
from synkro.infra import clock, queue
from synkro.mail import Letter
from synkro.models import StoredLetter
from synkro.services.shared.sealed import SealedBytes
from synkro.tenancy import db, system_scope

SEND = "letter"
SEND_SECONDS = 45
HELD = timedelta(minutes=5)
"""How long a try is left alone. Longer than one may take: after that its worker has died."""
PAUSES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=4))
"""After each try but the last."""
QUIET = timedelta(minutes=1)
"""A job that was enqueued this long ago and not answered is enqueued again."""
LIFE = timedelta(days=1)
"""Of a letter without a link of its own end: news that is older is none."""
KEPT = timedelta(days=30)
MOST = 100
"""Jobs that one tick enqueues."""


@dataclass(frozen=True, slots=True)
class LetterClaim:
    """One try. content: of a Letter, or of a request by somebody who forgot the password."""

    id: uuid.UUID
    content: dict[str, Any]
    tries: int


def _context(letter_id: uuid.UUID) -> str:
    return f"letter|{letter_id}"


SEALED = SealedBytes(
    "letters", StoredLetter.sealed, (StoredLetter.id,), _context, only=StoredLetter.sealed.is_not(None)
)


def put(user_id: uuid.UUID, letter: Letter, expires_at: datetime) -> uuid.UUID:
    """Part of an act in the system scope. The caller commits, and then rings. Not sent after expires_at."""
    return put_content(user_id, asdict(letter), expires_at)


def put_content(user_id: uuid.UUID | None, content: dict[str, Any], expires_at: datetime) -> uuid.UUID:
    """What `put` does, also for a request that is no letter yet. The caller commits."""
    letter_id, now = uuid.uuid4(), clock.now()
    sealed = vault().seal_bytes(json.dumps(content).encode(), _context(letter_id))
    db.session.add(
        StoredLetter(
            id=letter_id,
            user_id=user_id,
            sealed=sealed,
            created_at=now,
            expires_at=expires_at,
            next_at=now,
            enqueued_at=now,
            tries=0,
            code="",
        )
    )
    return letter_id


def enqueue(letter_id: uuid.UUID) -> None:
    """After the commit. Without Redis the tick rings later."""
    queue.enqueue(redis(), queue.CHECKS, SEND, letter_id, seconds=SEND_SECONDS)


def claim(letter_id: uuid.UUID) -> LetterClaim | None:
    """Begin a try; of two workers one gets it. None: sent, given up, being tried, or not yet due again."""
    now = clock.now()
    with system_scope("mail: a letter is looked up by its id alone"):
        row = db.session.execute(
            update(StoredLetter)
            .where(
                StoredLetter.id == letter_id,
                StoredLetter.sealed.is_not(None),
                StoredLetter.next_at <= now,
                StoredLetter.expires_at > now,
            )
            .values(tries=StoredLetter.tries + 1, next_at=now + HELD)
            .returning(StoredLetter.sealed, StoredLetter.tries)
        ).one_or_none()
        db.session.commit()
        if row is None:
            return None
        try:
            content = json.loads(vault().open_bytes(row.sealed, _context(letter_id)))
        except CannotOpen:
            _end(letter_id, code="mail_unreadable")
            return None
    return LetterClaim(letter_id, content, row.tries)


def mark_sent(claimed: LetterClaim) -> None:
    with system_scope("mail: a letter is looked up by its id alone"):
        _end(claimed.id, sent_at=clock.now())


def mark_failed(claimed: LetterClaim, code: str, *, passing: bool) -> None:
    """Later once more, or given up when that cannot help or five tries were made."""
    with system_scope("mail: a letter is looked up by its id alone"):
        if not passing or claimed.tries > len(PAUSES):
            _end(claimed.id, code=code)
            return
        again = clock.now() + PAUSES[claimed.tries - 1]
        _change(claimed.id, next_at=again, code=code)
        db.session.commit()


def _end(letter_id: uuid.UUID, *, code: str = "", sent_at: datetime | None = None) -> None:
    _change(letter_id, sealed=None, next_at=None, sent_at=sent_at, code=code)
    db.session.commit()


def _change(letter_id: uuid.UUID, **values: Any) -> None:
    db.session.execute(update(StoredLetter).where(StoredLetter.id == letter_id).values(**values))


def take(letter_id: uuid.UUID) -> bool:
    """Remove a request that is being answered. False: somebody else did. Needs the system scope. The caller commits."""
    gone = db.session.execute(delete(StoredLetter).where(StoredLetter.id == letter_id))
    return cast("CursorResult[Any]", gone).rowcount == 1


def due() -> list[uuid.UUID]:
    """Letters to enqueue, marked as enqueued. The caller is in the system scope."""
    now = clock.now()
    unanswered = or_(StoredLetter.enqueued_at.is_(None), StoredLetter.enqueued_at <= now - QUIET)
    ready = select(StoredLetter.id).where(StoredLetter.next_at <= now, StoredLetter.expires_at > now, unanswered)
    ready = ready.order_by(StoredLetter.next_at).limit(MOST).with_for_update(skip_locked=True)
    statement = update(StoredLetter).where(StoredLetter.id.in_(ready)).values(enqueued_at=now)
    found = list(db.session.execute(statement.returning(StoredLetter.id)).scalars())
    db.session.commit()
    return found


def tidy() -> None:
    """Give up what came too late, and forget what is long over. The caller is in the system scope."""
    now = clock.now()
    late = (StoredLetter.next_at.is_not(None), StoredLetter.expires_at <= now)
    # what stood in its way so far says more than that it came too late
    given_up = update(StoredLetter).where(*late).values(sealed=None, next_at=None)
    db.session.execute(given_up.values(code=func.coalesce(func.nullif(StoredLetter.code, ""), "mail_late")))
    over = (StoredLetter.next_at.is_(None), StoredLetter.created_at <= now - KEPT)
    db.session.execute(delete(StoredLetter).where(*over))
    db.session.commit()


def failure_of_letter(user_id: uuid.UUID) -> str:
    """Why the latest letter to this person was not sent, '' when nothing is wrong. A code of synkro.mail."""
    with system_scope("staff audit: how the letters to a person went"):
        statement = select(StoredLetter.code).where(StoredLetter.user_id == user_id)
        return db.session.execute(statement.order_by(StoredLetter.created_at.desc()).limit(1)).scalar() or ""
