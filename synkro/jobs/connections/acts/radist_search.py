"""Looking for chats in Radist's list, which has no filter and no order to trust: with an end in sight."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from synkro.analysis.matching.chats import ChatMatch, PhoneIndex, classify_contact
from synkro.analysis.matching.phones import chat_number
from synkro.infra.records import Chat, Message
from synkro.integrations.radist.client import PAGE, Radist

MOST_PAGES = 100
SEARCH_SECONDS = 90
"""Leaves a minute of the trial for the last page and the messages."""
MOST_DIALOGS = 3
MOST_MESSAGES = 50
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
BACK = timedelta(days=30)


class ChatList:
    """The chats of the chosen messengers. contacts: how many were read; partial: the list was cut off."""

    def __init__(self, radist: Radist) -> None:
        self._radist = radist
        self.contacts = 0
        self.partial = False

    def groups(self) -> Iterator[list[Chat]]:
        """The chats of one Radist contact after the other, each chat once."""
        choice, ends = self._radist.choice(), time.monotonic() + SEARCH_SECONDS
        cursor, cursors, seen = None, set[str](), set[int]()
        for _ in range(MOST_PAGES):
            page = self._radist.chats(cursor)
            for contact in page.contacts:
                self.contacts += 1
                yield [chat for chat in contact if chat.id not in seen and choice.reads(chat)]
                seen.update(chat.id for chat in contact)
            cursor = page.next_cursor
            if cursor is None:
                return
            if cursor in cursors or time.monotonic() >= ends:
                break
            cursors.add(cursor)
        self.partial = True


def of_deals(chats: ChatList, index: PhoneIndex) -> list[ChatMatch]:
    """At most MOST_DIALOGS chats of the deals, of each deal one before any has two. Stops where every deal has one."""
    owners = (index.owner(phone) for lead in index.leads for phone in lead.phones)
    missing = {owner.lead_id for owner in owners if owner}
    found: list[ChatMatch] = []
    for group in chats.groups():
        found += [match for match in classify_contact(group, index) if match.kind == "matched"]
        missing -= {lead_of(match) for match in found}
        if not missing:
            break
    return _first_of_each(sorted(found, key=lambda match: match.chat.last_at or LONG_AGO, reverse=True))


def newest(chats: ChatList) -> list[ChatMatch]:
    """The chats in which something was said last, whosever they are."""
    spoken = (chat for group in chats.groups() for chat in group if chat.last_at and not chat.is_group)
    found = heapq.nlargest(MOST_DIALOGS, spoken, key=lambda chat: (chat.last_at or LONG_AGO, chat.id))
    return [ChatMatch(chat, "unmatched", chat_number(chat.phone)) for chat in found]


def lead_of(match: ChatMatch) -> int | None:
    return match.owner.lead_id if match.owner else None


def last_messages(radist: Radist, chat: Chat, until: datetime) -> list[Message]:
    """At most MOST_MESSAGES of the last 30 days, the oldest first."""
    if chat.last_at and chat.last_at < until - BACK:
        return []
    # pages come newest first, but within one the vendor orders as it likes: what is cut is cut after sorting
    said = islice(radist.messages(chat, until - BACK, until), PAGE)
    return sorted(said, key=lambda message: (message.at, message.position))[-MOST_MESSAGES:]


def _first_of_each(matches: Iterable[ChatMatch]) -> list[ChatMatch]:
    firsts: dict[int | None, ChatMatch] = {}
    others = [match for match in matches if firsts.setdefault(lead_of(match), match) is not match]
    return [*firsts.values(), *others][:MOST_DIALOGS]
