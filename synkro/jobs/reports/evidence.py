"""The messages that claims rest on: who said what and when, found again by their refs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from synkro.analysis.matching.phones import mask
from synkro.analysis.text.cleaning import clean
from synkro.jobs.reports import handover
from synkro.jobs.reports.handover import PACKS
from synkro.jobs.reports.step import Ctx

LONGEST_QUOTE = 600


class Quotes:
    """Reads the pages of the run once and keeps only what was cited."""

    def __init__(self, ctx: Ctx, refs: Iterable[str]) -> None:
        self._found_at = _found_at(ctx, set(refs))
        self._quotes = _quotes(ctx, set(self._found_at.values()))

    def of(self, refs: Iterable[str]) -> list[dict[str, Any]]:
        """A quote for each ref: ref, chat_id, message_id, at, direction, kind, client, phone (masked), text."""
        found = ((ref, self._quotes.get(self._found_at.get(ref, (0, "")))) for ref in refs)
        return [{"ref": ref, **quote} for ref, quote in found if quote]


def _found_at(ctx: Ctx, refs: set[str]) -> dict[str, tuple[int, str]]:
    """ref -> (chat id, message id)."""
    packs = (page.rows[0]["refs"] for page in ctx.pages(PACKS))
    return {ref: (at[0], at[1]) for known in packs for ref, at in known.items() if ref in refs}


def _quotes(ctx: Ctx, wanted: set[tuple[int, str]]) -> dict[tuple[int, str], dict[str, Any]]:
    quotes = {}
    chats = {chat for chat, _ in wanted}
    for match, messages in handover.dialogues(ctx, handover.phone_index(ctx)):
        if match.chat.id not in chats:
            continue
        for message in messages or ():
            if (message.chat_id, message.id) in wanted:
                quotes[message.chat_id, message.id] = {
                    "chat_id": message.chat_id,
                    "message_id": message.id,
                    "at": message.at.isoformat(),
                    "direction": message.direction,
                    "kind": message.kind,
                    "client": match.chat.name,
                    "phone": mask(match.phone) if match.phone else "",
                    "text": clean(message.text, LONGEST_QUOTE),
                }
    return quotes
