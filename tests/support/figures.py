"""Deals, contacts and chats of a small window, and their figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from operator import attrgetter

from synkro.analysis.figures.dialogue import chat_figures
from synkro.analysis.figures.totals import Figures
from synkro.analysis.matching.chats import ChatMatch, PhoneIndex, classify_contact
from synkro.infra.records import Chat, Message
from tests.support.deals_and_chats import ALWAYS, START, WINDOW, chat, contact, lead, message

LEADS = [
    lead(1, 11, manager=1, status=142, price=500),
    lead(2, 12, manager=2, status=143, at=5),
    lead(3, 13, 99, manager=1, price=None),
    lead(4, manager=None),
]
CONTACTS = [contact(11, "87010000001"), contact(12, "87010000002, 87010000001"), contact(13)]
CHATS = [
    chat(1, "77010000001", owner=1),
    chat(2, None, owner=1),
    chat(3, "77010000002", owner=2),
    replace(chat(4, "77770000000", owner=3), last_at=START, last_direction="in"),
    replace(chat(5, "77770000001", owner=4), last_at=START + timedelta(hours=1), last_direction="out"),
    replace(chat(6, "77770000002", owner=5), last_at=WINDOW.end, last_direction="in"),
    chat(7, "77010000001", owner=6, group=True),
]
SAID = {
    1: [message(0, "in"), message(60, "out"), message(100, "in"), message(400, "out", failed=True)],
    3: [message(0, "in"), message(10, "in")],
}


def matches(chats: list[Chat], index: PhoneIndex) -> Iterator[ChatMatch]:
    for _, of_contact in groupby(chats, key=attrgetter("contact_id")):
        yield from classify_contact(list(of_contact), index)


def figures_of(chats: list[Chat] = CHATS, said: dict[int, list[Message]] = SAID, times: int = 1) -> Figures:
    index = PhoneIndex.build(LEADS, CONTACTS)
    figures = Figures(WINDOW, index, {1: "Aliya", 2: "Bolat"})
    for _ in range(times):
        for deal in LEADS:
            figures.add_lead(deal)
        for match in matches(chats, index):
            figures.add_match(match)
            if match.kind == "matched":
                figures.add_dialogue(match, chat_figures(said.get(match.chat.id, []), WINDOW, ALWAYS))
    return figures
