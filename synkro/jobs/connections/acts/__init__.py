"""What can be tried out on a connection. An act: a function of the trial, one file a service."""

from __future__ import annotations

from collections.abc import Callable

from synkro.jobs.connections.acts import ai, amocrm, radist, sample, supabase, telegram
from synkro.jobs.connections.acts.tried import Tried
from synkro.models import Trial
from synkro.services.connections.trials import SAMPLE

Act = Callable[[Trial], Tried]

ACTS: dict[tuple[str, str], Act] = {
    ("supabase", "tables"): supabase.tables,
    ("amocrm", SAMPLE): amocrm.latest_deals,
    ("amocrm", "write"): amocrm.write,
    ("amocrm", "names"): amocrm.names,
    ("radist", SAMPLE): radist.dialogs,
    ("radist", "write"): radist.write,
    ("ai", "package"): ai.package,
    ("ai", "analysis"): ai.analysis,
    ("ai", "write"): ai.write,
    ("telegram", "chats"): telegram.chats,
    ("telegram", "message"): telegram.message,
    ("telegram", "report"): telegram.report,
}
"""(kind, act) -> what it does. A service without a sample of its own shows that of its class."""


def act_of(kind: str, act: str) -> Act:
    """Raises LookupError."""
    if (kind, act) not in ACTS and act == SAMPLE:
        return sample.shown_by_class
    return ACTS[kind, act]
