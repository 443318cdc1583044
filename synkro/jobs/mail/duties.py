"""Of the tick: letters that wait are sent again, old ones and used links are forgotten."""

from __future__ import annotations

from synkro.jobs.shared.duty import Duty
from synkro.services.auth import links
from synkro.services.mail import outbox
from synkro.tenancy import system_scope


def look_after() -> None:
    with system_scope("tick"):
        waiting = outbox.due()
        outbox.tidy()
        links.tidy()
    for letter_id in waiting:
        outbox.enqueue(letter_id)


DUTIES = (Duty("letters", look_after),)
