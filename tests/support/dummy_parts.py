"""What the sixth service has besides its connection: an act, the part of the page that shows it, a step of a run."""

from __future__ import annotations

from synkro.integrations.base import SAMPLE
from synkro.jobs.connections.acts.sample import shown_by_class
from synkro.jobs.connections.acts.tried import Acts, Tried, client
from synkro.jobs.reports.step import Ctx, Done, Step
from synkro.models import Trial
from synkro.models.plan import Plan
from tests.support.dummy_integration import Parcels

TRIALS = """{#- Parcels: those on their way are counted. shown: connection_view.Shown. -#}
{% from "ui/setup.html" import outcome %}
{% call card('Track', 'track') %}
  {% if shown.trials.track %}{{ outcome(shown.trials.track, 'Being tracked') }}{% endif %}
  {% call post(url_for('settings.try_out', kind=kind, act='track'), 'row') %}{{ button('Track') }}{% endcall %}
{% endcall %}"""
PLAN_OF_PARCELS = Plan("fetch_parcels", "Loading parcels", "Parcels", Parcels.kind, counted="Parcels: %(count)s")


def track(_trial: Trial) -> Tried:
    return Tried("green", "parcels_tracked", {"count": len(client(Parcels).items())})


ACTS: Acts = {SAMPLE: shown_by_class, "track": track}


class FetchParcels(Step):
    key = PLAN_OF_PARCELS.key

    def run(self, ctx: Ctx) -> Done:
        items = ctx.connect(Parcels).items()
        ctx.begin(Parcels.kind)
        ctx.save(Parcels.kind, 0, items)
        ctx.beat(len(items), len(items))
        return Done()
