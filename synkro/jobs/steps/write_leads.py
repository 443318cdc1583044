"""Step 2: deals and contacts into the client's Supabase."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from synkro import clock
from synkro.analysis.phones import normalise
from synkro.integrations.amocrm_shapes import LATEST
from synkro.integrations.supabase import Supabase
from synkro.jobs import handover
from synkro.jobs.handover import CONTACTS, LEADS
from synkro.jobs.step import Ctx, Done, Step
from synkro.jobs.steps.writing import Writer
from synkro.models.plan import StepKey
from synkro.records import Contact, Lead


class WriteLeads(Step):
    key = StepKey.WRITE_LEADS

    def run(self, ctx: Ctx) -> Done:
        writer = Writer(ctx.connect(Supabase))
        total = ctx.count(LEADS) + ctx.count(CONTACTS)
        done = self._write(ctx, writer, LEADS, 0, total)
        self._write(ctx, writer, CONTACTS, done, total)
        ctx.beat(total, total)
        return Done("rows_refused", {"rows": writer.refused}) if writer.refused else Done()

    def _write(self, ctx: Ctx, writer: Writer, name: str, done: int, total: int) -> int:
        """Writing a page twice changes nothing, so only whole pages are remembered."""
        account = handover.directory(ctx).account_id
        shape = {LEADS: _lead_row, CONTACTS: _contact_row}[name]
        for page in ctx.pages(name, after=ctx.cursor.get(name, -1)):
            rows = [{**shape(row), "account_id": account, **_origin(ctx)} for row in page.rows]
            writer.upsert(f"synkro_{name}", rows)
            done += len(rows)
            ctx.beat(done, total)
            ctx.mark(**{name: page.seq})
        return done


def _origin(ctx: Ctx) -> dict[str, Any]:
    # sent with every row: on a conflict a column's default is not applied again
    return {"run_id": str(ctx.run.id), "fetched_at": clock.now().isoformat()}


def _lead_row(row: dict[str, Any]) -> dict[str, Any]:
    lead = Lead.from_json(row)
    return {
        "lead_id": lead.id,
        "name": lead.name,
        "price": lead.price,
        "pipeline_id": lead.pipeline_id,
        "status_id": lead.status_id,
        "responsible_user_id": lead.responsible_user_id,
        "loss_reason_id": lead.loss_reason_id,
        "created_at": _moment(lead.created_at),
        "updated_at": _moment(lead.updated_at),
        "closed_at": _moment(lead.closed_at) if lead.closed_at else None,
        "is_deleted": lead.is_deleted,
        "contact_ids": list(lead.contact_ids),
        "raw": lead.raw,
    }


def _contact_row(row: dict[str, Any]) -> dict[str, Any]:
    contact = Contact.from_json(row)
    return {
        "contact_id": contact.id,
        "name": contact.name,
        "phones": list(contact.phones),
        "numbers": list(dict.fromkeys(number for typed in contact.phones for number in normalise(typed))),
        "updated_at": _moment(contact.updated_at) if contact.updated_at else None,
        "raw": contact.raw,
    }


def _moment(seconds: int) -> str:
    """Out of range is the nearest time that can be written: one odd deal stops no others."""
    return datetime.fromtimestamp(min(max(seconds, 0), LATEST), UTC).isoformat()
