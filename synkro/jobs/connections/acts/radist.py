"""Radist: the dialogs of the deals that amoCRM has shown, and these dialogs written into the client's Supabase."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from synkro.analysis.matching import phones
from synkro.analysis.matching.chats import ChatMatch, PhoneIndex
from synkro.infra import clock
from synkro.infra.records import Chat, Contact, Lead, Message
from synkro.integrations.base import SAMPLE
from synkro.integrations.errors import Gone
from synkro.integrations.masks import without_numbers
from synkro.integrations.radist.client import Radist
from synkro.integrations.supabase.client import Supabase
from synkro.jobs.connections.acts.radist_search import ChatList, last_messages, lead_of, newest, of_deals
from synkro.jobs.connections.acts.tried import Acts, Tried, client, counted, last, upsert
from synkro.jobs.reports.client_rows import chat_row, message_row, origin
from synkro.models import Trial

SHOWN_MESSAGES = 6
SHOWN_CHARACTERS = 240

Dialog = dict[str, Any]


def dialogs(trial: Trial) -> Tried:
    """Those of amoCRM's three deals, found by phone as a run finds them. asked newest=True: the newest, of no deal.

    Kept: previews (masked), dialogs, contacts_read, partial, newest.
    """
    if trial.asked.get("newest"):
        return _newest()
    found = last("amocrm", SAMPLE)
    if found is None:
        return Tried("yellow", "radist_deals_first")
    leads = {row["id"]: Lead.from_json(row) for row in found["leads"]}
    index = PhoneIndex.build(leads.values(), [Contact.from_json(row) for row in found["contacts"]])
    if not any(lead.phones for lead in index.leads):
        return Tried("yellow", "radist_sample_no_phones")
    radist = client(Radist)
    chats = ChatList(radist)
    matches = of_deals(chats, index)
    if not matches:
        code = "radist_sample_none_partial" if chats.partial else "radist_sample_none"
        return Tried("yellow", code, {"contacts": chats.contacts}, _kept(chats, []))
    names = {identity: lead.name for identity, lead in leads.items()}
    return _told(chats, matches, _read(radist, matches, names, found.get("managers", {})), "radist_sample_ok")


def _newest() -> Tried:
    radist = client(Radist)
    chats = ChatList(radist)
    matches = newest(chats)
    if not matches:
        return Tried("yellow", "radist_sample_no_chats", {}, _kept(chats, []))
    return _told(chats, matches, _read(radist, matches, {}, {}), "radist_sample_newest")


def _read(
    radist: Radist, matches: Iterable[ChatMatch], leads: dict[int, str], managers: dict[str, str]
) -> list[Dialog]:
    """A chat that Radist will not open costs itself only. Raises Gone where it opens none."""
    read: list[Dialog] = []
    refusal: Gone | None = None
    for match in matches:
        try:
            messages = last_messages(radist, match.chat, clock.now())
        except Gone as error:
            refusal = error
        else:
            read.append(_dialog(match, messages, leads, managers))
    if refusal and not read:
        raise refusal
    return read


def _dialog(match: ChatMatch, messages: Sequence[Message], leads: dict[int, str], managers: dict[str, str]) -> Dialog:
    lead_id = lead_of(match)
    # the last message that the list brings along is not ours to keep
    raw = {name: value for name, value in match.chat.raw.items() if name != "last_message"}
    return {
        "chat": replace(match.chat, raw=raw).to_json(),
        "phone": match.phone,
        "lead_id": lead_id,
        "lead_name": leads.get(lead_id, "") if lead_id else "",
        "manager": managers.get(str(match.owner.manager_id), "") if match.owner else "",
        "messages": [message.to_json() for message in messages],
    }


def _told(chats: ChatList, matches: Sequence[ChatMatch], read: list[Dialog], code: str) -> Tried:
    """The first thing that is not as it should be makes the sentence."""
    messages = sum(len(dialog["messages"]) for dialog in read)
    counts = {"dialogs": len(read), "messages": messages, "contacts": chats.contacts}
    result = _kept(chats, read)
    if len(read) < len(matches):
        return Tried("yellow", "radist_chats_unreadable", {"chats": len(matches) - len(read)}, result)
    if not messages:
        return Tried("yellow", "radist_sample_quiet", counts, result)
    if chats.partial:
        return Tried("yellow", "radist_sample_partial", counts, result)
    return Tried("yellow" if result["newest"] else "green", code, counts, result)


def _kept(chats: ChatList, read: list[Dialog]) -> dict[str, Any]:
    return {
        "previews": [_preview(dialog) for dialog in read],
        "dialogs": read,
        "contacts_read": chats.contacts,
        "partial": chats.partial,
        "newest": any(dialog["lead_id"] is None for dialog in read),
    }


def _preview(dialog: Dialog) -> dict[str, Any]:
    """What the page shows of a dialog: numbers masked, texts cut."""
    messages = dialog["messages"]
    return {
        "title": without_numbers(dialog["chat"]["name"]),
        "phone": phones.mask(dialog["phone"]) if dialog["phone"] else "",
        "deal": without_numbers(dialog["lead_name"]),
        "manager": without_numbers(dialog["manager"]),
        "received": sum(message["direction"] == "in" for message in messages),
        "sent": sum(message["direction"] == "out" for message in messages),
        "messages": [
            {"side": message["direction"], "at": message["at"], "text": _shortened(message["text"])}
            for message in messages[-SHOWN_MESSAGES:]
        ],
    }


def _shortened(text: str) -> str:
    # masked before it is cut, so that no half of a number is left
    shown = without_numbers(text)
    return shown if len(shown) <= SHOWN_CHARACTERS else shown[:SHOWN_CHARACTERS].rstrip() + "…"


def write(trial: Trial) -> Tried:
    """Green when Supabase has confirmed every row and the rows can be counted there."""
    found = last("radist", SAMPLE)
    if found is None or not found["dialogs"]:
        return Tried("red", "sample_first")
    own = origin(trial.id)
    chats = [_row(dialog) | own for dialog in found["dialogs"]]
    messages = [message_row(Message.from_json(row)) | own for dialog in found["dialogs"] for row in dialog["messages"]]
    supabase = client(Supabase)
    written = {
        "synkro_chats": upsert(supabase, "synkro_chats", chats),
        "synkro_messages": upsert(supabase, "synkro_messages", messages),
    }
    return counted(supabase, trial, written)


def _row(dialog: Dialog) -> dict[str, Any]:
    row = chat_row(Chat.from_json(dialog["chat"]), dialog["phone"], dialog["lead_id"])
    return row if dialog["lead_id"] else row | {"matched_by": None}


ACTS: Acts = {SAMPLE: dialogs, "write": write}
