"""What can be tried out on a connection: one file a service, with a function for each act that its class names."""

from __future__ import annotations

from collections.abc import Callable

from synkro.integrations.base import SAMPLE
from synkro.jobs.connections.acts import ai, amocrm, radist, sample, supabase, telegram
from synkro.jobs.connections.acts.tried import Acts, Tried
from synkro.models import Trial

ACTS: dict[str, Acts] = {
    "supabase": supabase.ACTS,
    "amocrm": amocrm.ACTS,
    "radist": radist.ACTS,
    "ai": ai.ACTS,
    "telegram": telegram.ACTS,
}


def act_of(kind: str, name: str) -> Callable[[Trial], Tried]:
    """A service without a sample of its own shows that of its class. Raises LookupError."""
    acts = ACTS.get(kind, {})
    return acts[name] if name in acts or name != SAMPLE else sample.shown_by_class
