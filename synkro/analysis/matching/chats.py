"""Which chat belongs to which deal: by phone, digit for digit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from synkro.analysis.matching.phones import chat_number, normalise, received
from synkro.infra.records import Chat, Contact, Lead

MatchKind = Literal["matched", "sibling", "unmatched", "group"]


@dataclass(frozen=True, slots=True)
class Owner:
    """The deal that speaks for a phone. manager_id is its responsible user, None when it has none."""

    lead_id: int
    updated_at: int
    manager_id: int | None
    pipeline_id: int
    status_id: int


@dataclass(frozen=True, slots=True)
class LeadPhones:
    """A deal's way to its chats: has_contact is False when no linked contact exists any more."""

    lead_id: int
    has_contact: bool
    phones: tuple[str, ...]


@dataclass(slots=True)
class PhoneIndex:
    """Phones of the contacts of the window's deals. Build it with deals that are selected already."""

    leads: list[LeadPhones] = field(default_factory=list)
    missing_contacts: set[int] = field(default_factory=set)
    _owners: dict[str, Owner] = field(default_factory=dict)
    _managers: dict[str, set[int]] = field(default_factory=dict)

    @classmethod
    def build(cls, leads: Iterable[Lead], contacts: Iterable[Contact]) -> PhoneIndex:
        known = {contact.id: _phones_of(contact) for contact in contacts}
        index = cls()
        for lead in leads:
            index._add(lead, known)
        return index

    def owner(self, number: str | None) -> Owner | None:
        return self._owners.get(number) if number else None

    def several_managers(self, number: str) -> bool:
        """Whether deals of more than one responsible user share the phone."""
        return len(self._managers.get(number, ())) > 1

    def _add(self, lead: Lead, known: dict[int, tuple[str, ...]]) -> None:
        present = [known[key] for key in lead.contact_ids if key in known]
        self.missing_contacts.update(key for key in lead.contact_ids if key not in known)
        phones = tuple(dict.fromkeys(number for numbers in present for number in numbers))
        self.leads.append(LeadPhones(lead.id, bool(present), phones))
        candidate = Owner(lead.id, lead.updated_at, lead.responsible_user_id, lead.pipeline_id, lead.status_id)
        for number in phones:
            self._claim(number, candidate)

    def _claim(self, number: str, candidate: Owner) -> None:
        holder = self._owners.get(number)
        if holder is None or (candidate.updated_at, candidate.lead_id) > (holder.updated_at, holder.lead_id):
            self._owners[number] = candidate
        if candidate.manager_id is not None:
            self._managers.setdefault(number, set()).add(candidate.manager_id)


@dataclass(frozen=True, slots=True)
class ChatMatch:
    """A chat and where it belongs. owner is set for matched chats only; phone is in comparable form."""

    chat: Chat
    kind: MatchKind
    phone: str | None
    owner: Owner | None = None
    several_managers: bool = False


def classify_contact(chats: Sequence[Chat], index: PhoneIndex) -> list[ChatMatch]:
    """All chats of one messenger contact. A phoneless chat beside a matched one is a sibling: counted, never read."""
    matches = [_by_phone(chat, index) for chat in chats]
    if not any(match.kind == "matched" for match in matches):
        return matches
    return [
        ChatMatch(match.chat, "sibling", None) if match.kind == "unmatched" and match.phone is None else match
        for match in matches
    ]


def _by_phone(chat: Chat, index: PhoneIndex) -> ChatMatch:
    whole = received(chat.phone)
    # typed with a plus, 84 912 345 678 is kept as Vietnam's, and so it comes from a messenger, which writes no plus
    number = whole if index.owner(whole) else chat_number(chat.phone)
    if chat.is_group:
        return ChatMatch(chat, "group", number)
    owner = index.owner(number)
    if number is None or owner is None:
        return ChatMatch(chat, "unmatched", number)
    return ChatMatch(chat, "matched", number, owner, index.several_managers(number))


def _phones_of(contact: Contact) -> tuple[str, ...]:
    return tuple(dict.fromkeys(number for typed in contact.phones for number in normalise(typed)))
