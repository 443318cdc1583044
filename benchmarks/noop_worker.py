"""The product's worker on steps that do nothing but say when they began and ended.

The first one hands over two empty pages: a run whose pages are gone is not gone on with.
"""

from __future__ import annotations

import time

from synkro import create_app
from synkro.infra import queue
from synkro.jobs.engine.worker import work_on
from synkro.jobs.reports import pipeline
from synkro.jobs.reports.step import Ctx, Done, Step
from synkro.models.plan import PLAN
from synkro.services.reports.artifacts import DIRECTORY, FINAL


class Nothing(Step):
    def run(self, ctx: Ctx) -> Done:
        began = time.time()
        if ctx.claim.key == PLAN[0].key:
            for name in (DIRECTORY, FINAL):
                ctx.save(name, 0, [])
        return Done(params={"began": began, "ended": time.time()})


if __name__ == "__main__":
    pipeline.STEPS.update({plan.key: Nothing() for plan in PLAN})
    work_on(create_app(), queue.STEPS)
