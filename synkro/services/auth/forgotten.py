"""Who forgot a password: asked by anybody for any address, answered by a worker that looks whose it is.

The page does the same for every address, so that neither its answer nor its time tells whether there is an account.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from synkro.infra import clock
from synkro.models import LinkPurpose, OneTimeLink, User
from synkro.services import audit
from synkro.services.auth import links
from synkro.services.mail import letters, outbox
from synkro.tenancy import db, system_scope

EMAIL, ADDRESS = "forgot", "from"
LONGEST_EMAIL = 320
LETTERS_AN_HOUR = 3
"""For an account. Further requests get the same answer and no letter."""


def ask(email: str, address: str) -> None:
    """address: of the browser."""
    # PostgreSQL takes no zero byte in a text: an address with one is nobody's
    asked = {EMAIL: email.replace("\x00", "").strip()[:LONGEST_EMAIL], ADDRESS: address}
    with system_scope("sign-in: nobody knows yet who asks"):
        request_id = outbox.put_content(None, asked, clock.now() + links.LIFE[LinkPurpose.RESET])
        db.session.commit()
    outbox.enqueue(request_id)


def answer(request_id: uuid.UUID, asked: dict[str, Any]) -> uuid.UUID | None:
    """The letter that the request led to; None for an address that is nobody's, or when there were enough.

    The request is gone afterwards: whatever somebody typed is not kept.
    """
    with system_scope("sign-in: nobody knows yet who asks"):
        if not outbox.take(request_id):
            return None
        # locked: of requests at the same moment each sees the links of the others
        whose = (
            select(User).where(func.lower(User.email) == func.lower(asked[EMAIL]), *links.may_enter()).with_for_update()
        )
        user = db.session.execute(whose).scalar_one_or_none()
        letter_id = _letter(user, asked[ADDRESS]) if user and _lately(user.id) < LETTERS_AN_HOUR else None
        db.session.commit()
    return letter_id


def _letter(user: User, address: str) -> uuid.UUID:
    url, until = links.make(user, LinkPurpose.RESET)
    audit.record("reset_asked", "user", user.id, address, actor=audit.UNKNOWN, tenant_id=user.tenant_id)
    return outbox.put(user.id, letters.reset(links.reader_of(user), url, until, address), until)


def _lately(user_id: uuid.UUID) -> int:
    """Links to a new password that were made within an hour."""
    since = clock.now() - timedelta(hours=1)
    mine = (OneTimeLink.user_id == user_id, OneTimeLink.purpose == LinkPurpose.RESET, OneTimeLink.created_at > since)
    return db.session.execute(select(func.count()).select_from(OneTimeLink).where(*mine)).scalar_one()
