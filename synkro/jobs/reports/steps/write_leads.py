"""Step 2: deals and contacts into the client's Supabase."""

from __future__ import annotations

from typing import Any

from synkro.infra.records import Contact, Lead
from synkro.jobs.reports import handover
from synkro.jobs.reports.client_rows import contact_row, lead_row, origin
from synkro.jobs.reports.handover import CONTACTS, LEADS
from synkro.jobs.reports.step import Ctx, Done, Step
from synkro.jobs.reports.steps.writing import Writer
from synkro.models.plan import StepKey


class WriteLeads(Step):
    key = StepKey.WRITE_LEADS

    def run(self, ctx: Ctx) -> Done:
        writer = Writer(ctx)
        total = ctx.count(LEADS) + ctx.count(CONTACTS)
        done = self._write(ctx, writer, LEADS, 0, total)
        self._write(ctx, writer, CONTACTS, done, total)
        ctx.beat(total, total)
        return writer.done()

    def _write(self, ctx: Ctx, writer: Writer, name: str, done: int, total: int) -> int:
        """Writing a page twice changes nothing, so only whole pages are remembered."""
        account = handover.directory(ctx).account_id
        for page in ctx.pages(name, after=ctx.cursor.get(name, -1)):
            rows = [{**_shaped(name, row), "account_id": account, **origin(ctx.run.id)} for row in page.rows]
            writer.upsert(f"synkro_{name}", rows)
            done += len(rows)
            ctx.beat(done, total)
            writer.mark(**{name: page.seq})
        return done


def _shaped(name: str, row: dict[str, Any]) -> dict[str, Any]:
    return lead_row(Lead.from_json(row)) if name == LEADS else contact_row(Contact.from_json(row))
