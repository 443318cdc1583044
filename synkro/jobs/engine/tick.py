"""What happens every ten seconds: dead steps return, forgotten jobs ring, due reports start."""

from __future__ import annotations

from synkro.jobs.connections import duties as connections
from synkro.jobs.engine.duties import fulfil
from synkro.jobs.mail import duties as mail
from synkro.jobs.reports import duties as reports
from synkro.jobs.shared import frame
from synkro.jobs.shared.duty import Duty, over_all
from synkro.services.audit import heads
from synkro.services.auth import sessions
from synkro.services.companies import tenants
from synkro.services.operations import health

TICK = "tick"


def tick() -> None:
    """May run in any number of copies at once: rows are taken with SKIP LOCKED and unique windows."""
    with frame.job():
        health.mark_tick(fulfil(DUTIES))


INSTALLATION = (
    Duty("sessions", over_all(sessions.purge)),
    Duty("heads", heads.anchor),
    Duty("deletions", over_all(tenants.delete_due)),  # last: however long it takes, nobody's reports wait for it
)
DUTIES: tuple[Duty, ...] = (*reports.DUTIES, *connections.DUTIES, *mail.DUTIES, *INSTALLATION)
"""In this order. A capability that has something to do every ten seconds brings a duty of its own."""
