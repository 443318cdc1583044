"""A few dialogs as a run would send them to the model: counted, masked and packed by the same code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from synkro.analysis.ai.dialogs import LINE_LIMIT, Dialog, Reader
from synkro.analysis.ai.packing import MessageKey, pack
from synkro.analysis.ai.prompt import user_part
from synkro.analysis.ai.restoring import discreet
from synkro.analysis.figures.calendar import WorkingHours
from synkro.analysis.figures.dialogue import chat_figures, inside
from synkro.analysis.figures.leads import LeadSums
from synkro.analysis.figures.totals import Figures
from synkro.analysis.figures.window import Window
from synkro.analysis.matching.chats import ChatMatch, Owner, PhoneIndex
from synkro.analysis.matching.phones import mask, normalise
from synkro.analysis.text.cleaning import clean
from synkro.analysis.text.masking import Masker
from synkro.infra import clock
from synkro.infra.records import Chat, Contact, Message
from synkro.integrations.masks import without_numbers
from synkro.jobs.reports.evidence import LONGEST_QUOTE
from synkro.jobs.reports.steps.build_prompt import PACK_TOKENS

Names = Mapping[str, set[str]]
"""Phone -> how the CRM calls its owners."""
OF_DEALS = {*LeadSums().result(), "missing_contacts", "coverage", "chats_by_outcome"}
"""Figures that three dialogs say nothing about."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """One dialog of a sample. phone: in comparable form, or ''."""

    chat: Chat
    phone: str
    lead_id: int
    manager: str
    messages: tuple[Message, ...]
    names: tuple[str, ...]
    """What the client is called, to be hidden."""


@dataclass(frozen=True, slots=True)
class SamplePackage:
    """user: what would be sent. refs: those of the messages in it. dialogs: how many there are."""

    user: str
    refs: Mapping[str, MessageKey]
    dialogs: int
    masker: Masker
    _of: Mapping[int, Sampled]

    @property
    def shown(self) -> dict[str, str]:
        """Placeholder to what people see for it: names, but no number."""
        return discreet(self.masker.issued)

    def quotes(self, refs: Iterable[str]) -> list[dict[str, Any]]:
        """As jobs/reports/evidence gives them, with numbers masked in the text as well."""
        return [self._quote(ref, *self.refs[ref]) for ref in refs if ref in self.refs]

    def _quote(self, ref: str, chat_id: int, message_id: str) -> dict[str, Any]:
        one = self._of[chat_id]
        said = next(message for message in one.messages if message.id == message_id)
        # as long as it was sent: to hide something in a very long text takes its time, and it may be quoted often
        hidden = self.masker.mask(clean(said.text, LINE_LIMIT), one.names)
        return {
            "ref": ref,
            "chat_id": chat_id,
            "message_id": message_id,
            "at": said.at.isoformat(),
            "direction": said.direction,
            "kind": said.kind,
            "client": without_numbers(one.chat.name),
            "phone": mask(one.phone),
            "text": clean(Masker(self.shown).unmask(hidden), LONGEST_QUOTE),
        }


def names_of(contacts: Iterable[Contact]) -> Names:
    names: dict[str, set[str]] = defaultdict(set)
    for contact in contacts:
        for number in (number for typed in contact.phones for number in normalise(typed)):
            names[number].add(contact.name)
    return names


def sampled(rows: Iterable[Mapping[str, Any]], names: Names) -> list[Sampled]:
    """rows: {chat, phone, lead_id, manager, messages}. Each chat once, those without messages left out."""
    found = {}
    for row in rows:
        chat = Chat.from_json(row["chat"])
        messages = tuple(Message.from_json(said) for said in row["messages"])
        phone = next(iter(normalise(row["phone"] or "")), "")
        called = (chat.name, (chat.username or "").lstrip("@"), *sorted(names.get(phone, ())))
        if messages:
            found[chat.id] = Sampled(chat, phone, row["lead_id"] or 0, row["manager"] or "", messages, called)
    return list(found.values())


def packaged(dialogs: Sequence[Sampled], hours: WorkingHours) -> SamplePackage:
    """In one question: of a dialog that takes more than its share the latest part is sent. dialogs: at least one."""
    masker, window = Masker(), _window(dialogs)
    reader = Reader(hours.zone, masker)
    packs = list(pack((_dialog(reader, one, window) for one in dialogs), PACK_TOKENS // len(dialogs), lambda _: None))
    text = "".join(one.text for one in packs)
    refs = {ref: key for one in packs for ref, key in one.refs.items()}
    return SamplePackage(
        user=user_part(_figures(dialogs, window, hours), text),
        refs=refs,
        dialogs=sum(len(one.dialogs) for one in packs),
        masker=masker,
        _of={one.chat.id: one for one in dialogs},
    )


def _dialog(reader: Reader, one: Sampled, window: Window) -> Dialog:
    return reader.dialog(one.chat.id, one.manager, "", inside(one.messages, window), one.names)


def _window(dialogs: Sequence[Sampled]) -> Window:
    """From the first message until now: all of it counts, and who waits for an answer waits still."""
    moments = [message.at for one in dialogs for message in one.messages]
    return Window(min(moments), max(*moments, clock.now()) + timedelta(seconds=1))


def _figures(dialogs: Sequence[Sampled], window: Window, hours: WorkingHours) -> dict[str, Any]:
    managers = dict(enumerate(sorted({one.manager for one in dialogs if one.manager}), 1))
    ids = {name: number for number, name in managers.items()}
    figures = Figures(window, PhoneIndex(), managers)
    for one in dialogs:
        owner = Owner(one.lead_id, 0, ids.get(one.manager), 0, 0)
        match = ChatMatch(one.chat, "matched", one.phone, owner)
        figures.add_match(match)
        figures.add_dialogue(match, chat_figures(one.messages, window, hours))
    found = figures.result()
    found["by_manager"] = [_without_deals(row) for row in found["by_manager"]]
    return _without_deals(found)


def _without_deals(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if name not in OF_DEALS}
