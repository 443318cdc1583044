"""The demonstration company: a maker of kitchens in Almaty, read from dialogs/*.json and dated relative to `now`."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from synkro.sandbox.demo.clock import ZONE, Clock
from synkro.sandbox.demo.company import Company
from synkro.sandbox.world import Chat, Contact, Lead, Message, RadistContact, World

_FILES = Path(__file__).parent / "dialogs"
_MISSING_FROM = 99_000_001
_NAMESPACE = uuid.UUID("00000000-0000-4000-8000-000000000001")


def demo_world(now: datetime) -> World:
    """The company as it stands at `now` (with a zone); the same `now` gives the same world."""
    company = Company(json.loads((_FILES / "company.json").read_text(encoding="utf-8")))
    build = _Build(now, company)
    for path in sorted(_FILES.glob("*.json")):
        if path.name != "company.json":
            for case in json.loads(path.read_text(encoding="utf-8")):
                build.add(case)
    return World(
        now=now,
        account_id=31_000_001,
        subdomain=company.subdomain,
        company=company.name,
        radist_company_id=100_001,
        users=tuple(company.users.values()),
        pipelines=tuple(company.pipelines.values()),
        loss_reasons=tuple(company.loss_reasons.values()),
        leads=build.leads,
        contacts=build.contacts,
        connections=tuple(company.connections.values()),
        radist_contacts=build.people,
        zone=ZONE.key,
    )


class _Build:
    """Collects the cases of the files into records with ids."""

    def __init__(self, now: datetime, company: Company) -> None:
        self._clock = Clock(now)
        self._company = company
        self.leads: list[Lead] = []
        self.contacts: list[Contact] = []
        self.people: list[RadistContact] = []
        self._contact_ids = itertools.count(91_000_001)
        self._missing_ids = itertools.count(_MISSING_FROM)
        self._chat_ids = itertools.count(10_000_001)

    def add(self, case: dict[str, Any]) -> None:
        """Take in one case: its contacts, leads and the Radist person with the chats."""
        manager = self._company.users[case.get("leads", [{}])[0].get("manager", "erlan")]
        touched = [self._clock.unix(lead["updated"]) for lead in case.get("leads", [])] or [0]
        ids: dict[str, int] = {}
        for number, contact in enumerate(case.get("contacts", [])):
            ids[contact.get("key", str(number))] = self._contact(contact, manager.id, max(touched))
        for lead in case.get("leads", []):
            self._lead(lead, tuple(ids[key] for key in lead.get("contacts", ids)))
        if "chats" in case:
            self._person(case)

    def _contact(self, contact: dict[str, Any], manager_id: int, updated_at: int) -> int:
        if contact.get("gone"):
            return next(self._missing_ids)
        record = Contact(
            id=next(self._contact_ids),
            name=contact["name"],
            phones=tuple(contact["phones"]),
            responsible_user_id=manager_id,
            updated_at=updated_at,
            email=contact.get("email"),
        )
        self.contacts.append(record)
        return record.id

    def _lead(self, lead: dict[str, Any], contact_ids: tuple[int, ...]) -> None:
        key = lead.get("pipeline", "kitchens")
        self.leads.append(
            Lead(
                id=81_000_001 + len(self.leads),
                name=lead["name"],
                price=lead["price"],
                pipeline_id=self._company.pipelines[key].id,
                status_id=self._company.status_id(key, lead["stage"]),
                responsible_user_id=self._company.users[lead["manager"]].id,
                created_at=self._clock.unix(lead["created"]),
                updated_at=self._clock.unix(lead["updated"]),
                closed_at=self._clock.unix(lead["closed"]) if "closed" in lead else None,
                loss_reason_id=self._company.loss_reasons[lead["loss"]].id if "loss" in lead else None,
                is_deleted=lead.get("deleted", False),
                contact_ids=contact_ids,
            )
        )

    def _person(self, case: dict[str, Any]) -> None:
        is_group = case.get("group", False)
        named = case.get("person") or next(iter(case.get("contacts", case["chats"])))["name"]
        chats = tuple(self._chat(chat, named, is_group) for chat in case["chats"])
        self.people.append(RadistContact(20_000_001 + len(self.people), named, chats, is_group))

    def _chat(self, chat: dict[str, Any], named: str, is_group: bool) -> Chat:
        chat_id = next(self._chat_ids)
        phone = chat.get("phone")
        suffix = "@c.us" if chat["via"] == "whatsapp" else ""
        return Chat(
            id=chat_id,
            connection_id=self._company.connections[chat["via"]].id,
            source_chat_id=chat.get("source") or (f"{phone}{suffix}" if phone else str(900_000_000 + chat_id % 1000)),
            name=chat.get("name", named),
            phone=phone,
            messages=self._messages(chat_id, chat["day"], chat["lines"]),
            username=chat.get("username"),
            is_group=is_group,
        )

    def _messages(self, chat_id: int, day: int, lines: list[list[str]]) -> tuple[Message, ...]:
        moments = [self._clock.moment(line[0], day) for line in lines]
        if day == 0:
            moments = list(self._clock.into_the_past(moments))
        messages = (
            _message(f"{chat_id}/{number}", moment, line)
            for number, (moment, line) in enumerate(zip(moments, lines, strict=True))
        )
        # A talk squeezed into the first seconds of a day may have lost its order.
        return tuple(sorted(messages, key=lambda message: message.at))


def _message(key: str, moment: datetime, line: Sequence[str]) -> Message:
    _, who, text, *rest = line
    outbound = who == "we"
    micro = uuid.uuid5(_NAMESPACE, key).int % 900_000 + 1 if outbound else 0
    return Message(
        id=str(uuid.uuid5(_NAMESPACE, f"message/{key}")),
        at=moment + timedelta(microseconds=micro),
        direction="outbound" if outbound else "inbound",
        text=text,
        kind=rest[0] if rest else "text",
        failed="failed" in rest,
    )
