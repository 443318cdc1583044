"""Step 4: the chats that belong to deals, and their messages, into the client's Supabase."""

from __future__ import annotations

from typing import Any

from synkro import clock
from synkro.analysis.matching import ChatMatch
from synkro.integrations.supabase import Supabase
from synkro.jobs import handover
from synkro.jobs.handover import MESSAGES
from synkro.jobs.step import Ctx, Done, Step
from synkro.jobs.steps.writing import Writer
from synkro.models.plan import StepKey
from synkro.records import Message


class WriteDialogs(Step):
    key = StepKey.WRITE_DIALOGS

    def run(self, ctx: Ctx) -> Done:
        writer = Writer(ctx.connect(Supabase))
        if not ctx.cursor.get("chats"):
            matched = handover.matched(ctx, handover.phone_index(ctx))
            writer.upsert("synkro_chats", ({**_chat_row(match), **_origin(ctx)} for match in matched))
            ctx.mark(chats=True)
        self._messages(ctx, writer)
        return Done("rows_refused", {"rows": writer.refused}) if writer.refused else Done()

    def _messages(self, ctx: Ctx, writer: Writer) -> None:
        total, done = ctx.count(MESSAGES), int(ctx.cursor.get("done", 0))
        for page in ctx.pages(MESSAGES, after=ctx.cursor.get(MESSAGES, -1)):
            writer.upsert("synkro_messages", [{**_message_row(row), **_origin(ctx)} for row in page.rows])
            done += len(page.rows)
            ctx.beat(done, total)
            ctx.mark(**{MESSAGES: page.seq, "done": done})
        ctx.beat(total, total)


def _origin(ctx: Ctx) -> dict[str, Any]:
    return {"run_id": str(ctx.run.id), "fetched_at": clock.now().isoformat()}


def _chat_row(match: ChatMatch) -> dict[str, Any]:
    chat = match.chat
    return {
        "connection_id": chat.connection_id,
        "chat_id": chat.id,
        "contact_id": chat.contact_id,
        "source_chat_id": chat.source_chat_id,
        "name": chat.name,
        "phone": match.phone,
        "username": chat.username,
        "is_group": chat.is_group,
        "last_at": chat.last_at.isoformat() if chat.last_at else None,
        "matched_lead_id": match.owner.lead_id if match.owner else None,
        "matched_by": "phone",
        "raw": chat.raw,
    }


def _message_row(row: dict[str, Any]) -> dict[str, Any]:
    message = Message.from_json(row)
    return {
        "connection_id": message.connection_id,
        "message_id": message.id,
        "chat_id": message.chat_id,
        "position": message.position,
        "sent_at": message.at.isoformat(),
        "direction": message.direction,
        "kind": message.kind,
        "body": message.text,
        "failed": message.failed,
        "raw": message.raw,
    }
