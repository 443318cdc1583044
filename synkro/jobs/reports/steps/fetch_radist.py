"""Step 3: the chat list, and the messages of the chats that belong to deals, from Radist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from synkro.analysis.matching.chats import ChatMatch, PhoneIndex, classify_contact
from synkro.infra.records import Chat, Message
from synkro.integrations.errors import Gone
from synkro.integrations.radist.client import Radist
from synkro.jobs.reports import handover
from synkro.jobs.reports.handover import CHATS, MESSAGES, PARTS
from synkro.jobs.reports.step import Ctx, Done, Step
from synkro.models.plan import StepKey

PART_ROWS = 500
MOST_CHAT_PAGES = 3_000


class FetchRadist(Step):
    key = StepKey.FETCH_RADIST

    def run(self, ctx: Ctx) -> Done:
        return _Fetch(ctx).run()


@dataclass(slots=True)
class _Opened:
    """How opening chats went so far. It lies beside every page, so that a try that goes on counts on.

    refusal: what the vendor said about the last chat that it would not open.
    """

    read: int = 0
    gone: int = 0
    refusal: str = ""


class _Fetch:
    def __init__(self, ctx: Ctx) -> None:
        self.ctx = ctx
        self.radist = ctx.connect(Radist)
        ctx.begin(CHATS, MESSAGES)
        self.choice = self.radist.choice()
        self.index: PhoneIndex = handover.phone_index(ctx)
        self.opened = _Opened()

    def run(self) -> Done:
        partial = self._chats()
        self._messages()
        if self.opened.gone and not self.opened.read:
            # not one chat could be opened: this is no trouble of single chats, and what was noted of them goes too
            self.ctx.forget(MESSAGES)
            raise Gone(self.opened.refusal)
        return _told(
            radist_partial={"contacts": self.ctx.count(CHATS) if partial else 0},
            radist_chats_unreadable={"chats": self.opened.gone},
            radist_unreadable={"rows": self.ctx.cursor.get("unreadable", 0)},
            radist_connection_gone={"connections": self.choice.gone},
        )

    def _chats(self) -> bool:
        """The list to its end. True when it was cut off: it went in a circle or never ended."""
        ctx = self.ctx
        seq, last = ctx.last_meta(CHATS) or (-1, {"cursor": None, "more": True})
        cursor, more = last["cursor"], last["more"]
        cursors = {page.meta["cursor"] for page in ctx.pages(CHATS)}
        while more:
            ctx.beat()
            page = self.radist.chats(cursor)
            circle = page.next_cursor in cursors or seq + 1 >= MOST_CHAT_PAGES
            cursor, more = page.next_cursor, page.next_cursor is not None and not circle
            cursors.add(cursor)
            seq += 1
            rows = [_kept([chat for chat in group if self.choice.reads(chat)], self.index) for group in page.contacts]
            ctx.save(CHATS, seq, rows, cursor=cursor, more=more, cut=cursor is not None and not more)
        return bool((ctx.last_meta(CHATS) or (0, {"cut": False}))[1]["cut"])

    def _messages(self) -> None:
        """Only chats that belong to deals are opened, and of these only what was said inside the window."""
        ctx = self.ctx
        total = sum(1 for _ in handover.matched(ctx, self.index))
        begun = self._resume_at()
        for number, match in islice(enumerate(handover.matched(ctx, self.index)), begun, None):
            ctx.beat(number, total)
            if match.chat.last_at is None or match.chat.last_at >= ctx.start:
                self._dialogue(match.chat, number)
        ctx.beat(total, total)

    def _resume_at(self) -> int:
        """The place of the first chat that is not handed over whole."""
        seq, meta = self.ctx.last_meta(MESSAGES) or (-PARTS, {"whole": True})
        self.opened = _Opened(meta.get("read", 0), meta.get("gone", 0), meta.get("refusal", ""))
        return seq // PARTS + (1 if meta["whole"] else 0)

    def _dialogue(self, chat: Chat, number: int) -> None:
        """A chat whose fetch was cut off is read anew, and may come out shorter. One that is refused stays so."""
        ctx, first = self.ctx, number * PARTS
        ctx.forget(MESSAGES, first=first)
        known = self.radist.unreadable
        try:
            for part, (rows, is_last) in enumerate(_parts(self.radist.messages(chat, ctx.start, ctx.end))):
                self.opened.read += is_last
                ctx.save(MESSAGES, first + part, rows, whole=is_last, **asdict(self.opened))
                ctx.beat()
        except Gone as refusal:
            ctx.forget(MESSAGES, first=first)
            self.opened = replace(self.opened, gone=self.opened.gone + 1, refusal=refusal.code)
            ctx.save(MESSAGES, first, [], whole=True, refused=True, **asdict(self.opened))
        if self.radist.unreadable > known:
            ctx.mark(unreadable=ctx.cursor.get("unreadable", 0) + self.radist.unreadable - known)


def _told(**counts: dict[str, int]) -> Done:
    """The first remark that has something to count is the step's own; the others stand beside it."""
    found = {code: params for code, params in counts.items() if any(params.values())}
    code, *others = found or [None]
    params = {name: count for each in found.values() for name, count in each.items()}
    return Done(code, params, tuple(other for other in others if other))


def _parts(messages: Iterator[Message]) -> Iterator[tuple[list[dict[str, Any]], bool]]:
    """Pieces of at most PART_ROWS with the word whether it is the last; one empty piece for an empty chat."""
    rows = list(islice(messages, PART_ROWS))
    while True:
        following = list(islice(messages, PART_ROWS))
        yield [message.to_json() for message in rows], not following
        if not following:
            return
        rows = following


def _kept(group: Sequence[Chat], index: PhoneIndex) -> list[dict[str, Any]]:
    """What is kept of a contact's chats. The last message that the list brings along is not ours to keep."""
    return [_without_words(match).to_json() for match in classify_contact(group, index)]


def _without_words(match: ChatMatch) -> Chat:
    """A chat of nobody's deal keeps neither its name nor its raw row."""
    if not match.owner:
        return replace(match.chat, name="", raw={})
    return replace(match.chat, raw={name: value for name, value in match.chat.raw.items() if name != "last_message"})
