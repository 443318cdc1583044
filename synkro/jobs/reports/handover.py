"""What later steps read back from the pages of earlier ones, page by page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from synkro.analysis.figures.leads import selected, unsorted_stages
from synkro.analysis.figures.window import Window
from synkro.analysis.matching.chats import ChatMatch, PhoneIndex, classify_contact
from synkro.analysis.matching.phones import normalise
from synkro.infra.records import Chat, Contact, Lead, Manager, Message, Stage
from synkro.jobs.reports.step import Ctx
from synkro.services.connections import crm
from synkro.services.reports.artifacts import DIRECTORY

LEADS, CONTACTS = "leads", "contacts"
CHATS, MESSAGES = "chats", "messages"
FIGURES, PACKS, MASKS = "figures", "packs", "masks"
ANSWER, REPORT = "answer", "report"


def call_name(prompt_hash: str) -> str:
    """The pages that keep the answers to exactly this question: one a call, by its place among the run's calls."""
    return f"call:{prompt_hash[:40]}"


@dataclass(frozen=True, slots=True)
class Directory:
    """The account's own words: who the managers are and what the stages are called.

    earlier: names of stages that amoCRM no longer tells, by pipeline and stage.
    """

    account_id: int
    managers: dict[int, str]
    stages: tuple[Stage, ...]
    earlier: Mapping[tuple[int, int], str] = field(default_factory=dict)

    def stage_name(self, pipeline_id: int, status_id: int) -> str:
        names = {(stage.pipeline_id, stage.status_id): stage.name for stage in self.stages}
        key = (pipeline_id, status_id)
        return names.get(key) or self.earlier.get(key) or f"#{status_id}"


def window(ctx: Ctx) -> Window:
    return Window(ctx.start, ctx.end)


def zone(ctx: Ctx) -> ZoneInfo:
    return ZoneInfo(ctx.run.timezone)


def directory(ctx: Ctx) -> Directory:
    page = ctx.page(DIRECTORY)
    if page is None:
        raise LookupError(DIRECTORY)
    found = page.rows[0]
    managers = [Manager.from_json(row) for row in found["managers"]]
    stages = tuple(Stage.from_json(row) for row in found["stages"])
    names = {manager.id: manager.name for manager in managers}
    return Directory(found["account_id"], names, stages, crm.stage_names(found["account_id"]))


def leads(ctx: Ctx) -> Iterator[Lead]:
    """Every deal once: pages shift while they are read, so the same one may lie on two of them."""
    seen: set[int] = set()
    for page in ctx.pages(LEADS):
        for row in page.rows:
            if row["id"] not in seen:
                seen.add(row["id"])
                yield Lead.from_json(row)


def selected_leads(ctx: Ctx) -> Iterator[Lead]:
    unsorted = unsorted_stages(directory(ctx).stages)
    return (lead for lead in leads(ctx) if selected(lead, window(ctx), unsorted))


def contacts(ctx: Ctx) -> Iterator[Contact]:
    return (Contact.from_json(row) for page in ctx.pages(CONTACTS) for row in page.rows)


def phone_index(ctx: Ctx) -> PhoneIndex:
    return PhoneIndex.build(selected_leads(ctx), contacts(ctx))


def client_names(ctx: Ctx) -> dict[str, tuple[str, ...]]:
    """Phone -> how the CRM calls its owners: to hide these names from the AI."""
    names: dict[str, set[str]] = defaultdict(set)
    for contact in contacts(ctx):
        for typed in contact.phones:
            for number in normalise(typed):
                names[number].add(contact.name)
    return {number: tuple(sorted(found)) for number, found in names.items()}


def matches(ctx: Ctx, index: PhoneIndex) -> Iterator[ChatMatch]:
    """Every chat once, with where it belongs."""
    seen: set[int] = set()
    for page in ctx.pages(CHATS):
        for group in page.rows:
            for match in classify_contact([Chat.from_json(row) for row in group], index):
                if match.chat.id not in seen:
                    seen.add(match.chat.id)
                    yield match


def matched(ctx: Ctx, index: PhoneIndex) -> Iterator[ChatMatch]:
    return (match for match in matches(ctx, index) if match.kind == "matched")


PARTS = 1_000
"""Places for the pages of one chat: page number = place of the chat * PARTS + part."""


def dialogues(ctx: Ctx, index: PhoneIndex) -> Iterator[tuple[ChatMatch, list[Message] | None]]:
    """The matched chats in order with their messages of the window; one chat in memory at a time.

    None for a chat that Radist would not open: nobody knows what was said in it.
    """
    pages = ctx.pages(MESSAGES)
    page = next(pages, None)
    for number, match in enumerate(matched(ctx, index)):
        messages: list[Message] = []
        is_refused = False
        while page is not None and page.seq // PARTS <= number:
            if page.seq // PARTS == number:
                messages += [Message.from_json(row) for row in page.rows]
                is_refused = bool(page.meta.get("refused"))
            page = next(pages, None)
        yield match, None if is_refused else messages
