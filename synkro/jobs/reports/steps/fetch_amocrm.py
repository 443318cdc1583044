"""Step 1: the deals of the window, their contacts, the managers and the stages, from amoCRM."""

from __future__ import annotations

from itertools import islice
from typing import Any

from synkro.integrations.amocrm.client import BATCH, PAGE, Amocrm
from synkro.jobs.reports import handover
from synkro.jobs.reports.handover import CONTACTS, LEADS
from synkro.jobs.reports.step import Ctx, Done, Step
from synkro.models.plan import StepKey
from synkro.services.connections import crm
from synkro.services.reports.artifacts import DIRECTORY

FROM_THE_START: dict[str, Any] = {"next_page": 1, "filtered": None, "limit": PAGE, "unreadable": 0}
"""What is kept beside each page of deals: where a resumed fetch goes on. All pages keep the notices so far, too."""


class FetchAmocrm(Step):
    key = StepKey.FETCH_AMOCRM

    def run(self, ctx: Ctx) -> Done:
        amocrm = ctx.connect(Amocrm)
        ctx.begin(DIRECTORY, LEADS, CONTACTS)
        for name in (DIRECTORY, LEADS, CONTACTS):
            amocrm.notices.update((ctx.last_meta(name) or (0, {}))[1].get("notices", ()))
        if ctx.page(DIRECTORY) is None:
            ctx.forget(LEADS, CONTACTS)  # of an earlier try, and retention has begun to take them
            self._directory(ctx, amocrm)
        unreadable = self._leads(ctx, amocrm)
        self._contacts(ctx, amocrm)
        ctx.beat(ctx.count(LEADS), ctx.count(LEADS))
        notices = tuple(sorted(amocrm.notices))
        return Done("amocrm_unreadable", {"rows": unreadable}, notices) if unreadable else Done(notices=notices)

    def _directory(self, ctx: Ctx, amocrm: Amocrm) -> None:
        account = amocrm.account()
        managers, stages, reasons = amocrm.managers(), amocrm.stages(), amocrm.loss_reasons()
        row = {
            "account_id": account.id,
            "managers": [manager.to_json() for manager in managers],
            "stages": [stage.to_json() for stage in stages],
            "loss_reasons": reasons,
        }
        if not account.filter_enabled:
            amocrm.notices.add("amocrm_filter_off")
        crm.keep(account.id, stages, reasons)
        ctx.save(DIRECTORY, 0, [row], notices=sorted(amocrm.notices))

    def _leads(self, ctx: Ctx, amocrm: Amocrm) -> int:
        """Page by page; a resumed fetch goes on behind the last page that was handed over. Rows that were left out."""
        seq, last = ctx.last_meta(LEADS) or (-1, FROM_THE_START)
        page, filtered, limit = last["next_page"], last["filtered"], last["limit"]
        unreadable = int(last["unreadable"])
        done = ctx.count(LEADS)
        while page is not None:
            ctx.beat(done)
            found = amocrm.leads(ctx.start, ctx.end, page, filtered=filtered, limit=limit)
            page, filtered, limit = found.next_page, found.filtered, found.limit
            seq += 1
            rows = [lead.to_json() for lead in found.leads]
            unreadable += found.unreadable
            cursor = {"next_page": page, "filtered": filtered, "limit": limit}
            ctx.save(LEADS, seq, rows, **cursor, unreadable=unreadable, notices=sorted(amocrm.notices))
            done += len(rows)
        return unreadable

    def _contacts(self, ctx: Ctx, amocrm: Amocrm) -> None:
        """In batches of ids, in the order in which the deals name them."""
        ids = iter(dict.fromkeys(contact for lead in handover.leads(ctx) for contact in lead.contact_ids))
        seq, _ = ctx.last_meta(CONTACTS) or (-1, {})
        list(islice(ids, (seq + 1) * BATCH))
        while batch := list(islice(ids, BATCH)):
            ctx.beat()
            seq += 1
            rows = [contact.to_json() for contact in amocrm.contacts(batch)]
            ctx.save(CONTACTS, seq, rows, notices=sorted(amocrm.notices))
