"""Step 3: the chat list, and the messages of the chats that belong to deals, from Radist."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from synkro.analysis.matching import ChatMatch, PhoneIndex, classify_contact
from synkro.integrations.radist import Radist
from synkro.jobs import handover
from synkro.jobs.handover import CHATS, MESSAGES, PARTS
from synkro.jobs.step import Ctx, Done, Step
from synkro.models.plan import StepKey
from synkro.records import Chat, Message

PART_ROWS = 500
MOST_CHAT_PAGES = 3_000


class FetchRadist(Step):
    key = StepKey.FETCH_RADIST

    def run(self, ctx: Ctx) -> Done:
        radist = ctx.connect(Radist)
        ctx.begin(CHATS, MESSAGES)
        index = handover.phone_index(ctx)
        partial = self._chats(ctx, radist, index)
        self._messages(ctx, radist, index)
        if partial:
            return Done("radist_partial", {"chats": ctx.count(CHATS)})
        unreadable = ctx.cursor.get("unreadable", 0)
        return Done("radist_unreadable", {"rows": unreadable}) if unreadable else Done()

    def _chats(self, ctx: Ctx, radist: Radist, index: PhoneIndex) -> bool:
        """The list to its end. True when it was cut off: it went in a circle or never ended."""
        seq, last = ctx.last_meta(CHATS) or (-1, {"cursor": None, "more": True})
        cursor, more = last["cursor"], last["more"]
        cursors = {page.meta["cursor"] for page in ctx.pages(CHATS)}
        while more:
            ctx.beat()
            page = radist.chats(cursor)
            circle = page.next_cursor in cursors or seq + 1 >= MOST_CHAT_PAGES
            cursor, more = page.next_cursor, page.next_cursor is not None and not circle
            cursors.add(cursor)
            seq += 1
            rows = [_kept(group, index) for group in page.contacts]
            ctx.save(CHATS, seq, rows, cursor=cursor, more=more, cut=cursor is not None and not more)
        return bool((ctx.last_meta(CHATS) or (0, {"cut": False}))[1]["cut"])

    def _messages(self, ctx: Ctx, radist: Radist, index: PhoneIndex) -> None:
        """Only chats that belong to deals are opened, and of these only what was said inside the window."""
        total = sum(1 for _ in handover.matched(ctx, index))
        begun = self._resume_at(ctx)
        for place, match in islice(enumerate(handover.matched(ctx, index)), begun, None):
            ctx.beat(place, total)
            if match.chat.last_at is None or match.chat.last_at >= ctx.start:
                self._dialogue(ctx, radist, match, place)
        ctx.beat(total, total)

    def _resume_at(self, ctx: Ctx) -> int:
        """The place of the first chat that is not handed over whole."""
        seq, meta = ctx.last_meta(MESSAGES) or (-PARTS, {"whole": True})
        return seq // PARTS + (1 if meta["whole"] else 0)

    def _dialogue(self, ctx: Ctx, radist: Radist, match: ChatMatch, place: int) -> None:
        """A chat whose fetch was cut off is read anew, and may come out shorter."""
        ctx.forget(MESSAGES, first=place * PARTS)
        known = radist.unreadable
        messages = radist.messages(match.chat, ctx.start, ctx.end)
        for part, (rows, is_last) in enumerate(_parts(messages)):
            ctx.save(MESSAGES, place * PARTS + part, rows, whole=is_last)
            ctx.beat()
        if radist.unreadable > known:
            ctx.mark(unreadable=ctx.cursor.get("unreadable", 0) + radist.unreadable - known)


def _parts(messages: Iterator[Message]) -> Iterator[tuple[list[dict[str, Any]], bool]]:
    """Pieces of at most PART_ROWS with the word whether it is the last; one empty piece for an empty chat."""
    rows = list(islice(messages, PART_ROWS))
    while True:
        following = list(islice(messages, PART_ROWS))
        yield [message.to_json() for message in rows], not following
        if not following:
            return
        rows = following


def _kept(group: tuple[Chat, ...], index: PhoneIndex) -> list[dict[str, Any]]:
    """What is kept of a contact's chats. The last message that the list brings along is not ours to keep."""
    return [_without_words(match).to_json() for match in classify_contact(group, index)]


def _without_words(match: ChatMatch) -> Chat:
    chat = match.chat
    raw = {name: value for name, value in chat.raw.items() if name != "last_message"} if match.owner else {}
    name = chat.name if match.owner else ""
    return Chat(
        chat.id,
        chat.connection_id,
        chat.contact_id,
        chat.source_chat_id,
        name,
        chat.phone,
        chat.username,
        chat.is_group,
        chat.last_at,
        chat.last_direction,
        raw,
    )
