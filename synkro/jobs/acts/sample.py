"""A few real items of a service, as its own class shows them."""

from __future__ import annotations

from synkro.jobs.acts.tried import Tried, shown
from synkro.models import Trial
from synkro.services import integrations


def shown_by_class(trial: Trial) -> Tried:
    previews = integrations.build(trial.kind).sample()
    if not previews:
        return Tried("yellow", "sample_empty")
    return Tried("green", "sample_ok", {"count": len(previews)}, {"previews": shown(previews)})
