"""Letters leave: a worker sends one, the tick rings for those that stay."""

from __future__ import annotations

import logging
import uuid

from synkro import mail
from synkro.jobs.shared import frame
from synkro.mail import Letter, NotSent
from synkro.services.auth import forgotten
from synkro.services.mail import outbox
from synkro.services.mail.outbox import LetterClaim

log = logging.getLogger(__name__)


def send(letter_id: str) -> None:
    """Send a letter if it is there to be sent. After a kill at the wrong moment it goes twice: better than never."""
    with frame.job(letter=letter_id):
        claimed = outbox.claim(uuid.UUID(letter_id))
        if claimed is not None:
            with frame.ended("letter", lambda code: _fail(claimed, code, passing=True), too_long="mail_too_long"):
                _try(claimed)


def _try(claimed: LetterClaim) -> None:
    try:
        _go(claimed)
    except NotSent as error:
        _fail(claimed, error.code, passing=error.passing)


def _go(claimed: LetterClaim) -> None:
    if forgotten.EMAIL in claimed.content:
        if answer := forgotten.answer(claimed.id, claimed.content):
            outbox.enqueue(answer)
        return
    mail.post().send(Letter(**claimed.content), str(claimed.id))
    outbox.mark_sent(claimed)


def _fail(claimed: LetterClaim, code: str, *, passing: bool) -> None:
    log.warning("letter not sent", extra={"fields": {"code": code, "tries": claimed.tries}})
    outbox.mark_failed(claimed, code, passing=passing)
