"""Step 4: the chats that belong to deals, and their messages, into the client's Supabase."""

from __future__ import annotations

from typing import Any

from synkro.analysis.matching.chats import ChatMatch
from synkro.infra.records import Message
from synkro.jobs.reports import handover
from synkro.jobs.reports.client_rows import chat_row, message_row, origin
from synkro.jobs.reports.handover import MESSAGES
from synkro.jobs.reports.step import Ctx, Done, Step
from synkro.jobs.reports.steps.writing import Writer
from synkro.models.plan import StepKey


class WriteDialogs(Step):
    key = StepKey.WRITE_DIALOGS

    def run(self, ctx: Ctx) -> Done:
        writer = Writer(ctx)
        if not ctx.cursor.get("chats"):
            matched = handover.matched(ctx, handover.phone_index(ctx))
            writer.upsert("synkro_chats", (_row(match) | origin(ctx.run.id) for match in matched))
            writer.mark(chats=True)
        self._messages(ctx, writer)
        return writer.done()

    def _messages(self, ctx: Ctx, writer: Writer) -> None:
        total, done = ctx.count(MESSAGES), int(ctx.cursor.get("done", 0))
        for page in ctx.pages(MESSAGES, after=ctx.cursor.get(MESSAGES, -1)):
            writer.upsert(
                "synkro_messages", [message_row(Message.from_json(row)) | origin(ctx.run.id) for row in page.rows]
            )
            done += len(page.rows)
            ctx.beat(done, total)
            writer.mark(**{MESSAGES: page.seq, "done": done})
        ctx.beat(total, total)


def _row(match: ChatMatch) -> dict[str, Any]:
    return chat_row(match.chat, match.phone, match.owner.lead_id if match.owner else None)
