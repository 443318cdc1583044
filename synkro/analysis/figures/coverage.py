"""How much of the deals the analysis has seen, and why the rest was lost on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal, get_args

from synkro.analysis.matching.chats import ChatMatch, LeadPhones

ChatOutcome = Literal[
    "analysed",
    "analysed_in_part",
    "blocked",
    "over_budget",
    "too_long",
    "not_sent",
    "unreadable",
    "no_messages",
    "group",
]
"""Best first: a deal with several chats counts with the one that came furthest. analysed_in_part: only its newest part
was sent; its deal counts as analysed. not_sent: the AI was not asked, or gave no answer that could be read. unreadable:
the messenger would not open the chat. no_messages: nothing was said inside the window: nothing to analyse."""

Stage = dict[str, Any]
"""{"stage": str, "count": int, "lost": {reason: int}}"""

_RANK = {outcome: rank for rank, outcome in enumerate(get_args(ChatOutcome))}


class Coverage:
    """Counts deals through four stages; what each stage loses and keeps adds up to the stage before it."""

    def __init__(self) -> None:
        self._leads: dict[int, LeadPhones] = {}
        self._chats: dict[int, tuple[str, ChatOutcome]] = {}

    def add_leads(self, leads: Iterable[LeadPhones]) -> None:
        self._leads.update((lead.lead_id, lead) for lead in leads)

    def add_match(self, match: ChatMatch) -> None:
        """Matched chats, and groups with a phone: these explain why a deal has no chat to read."""
        if match.phone and match.kind in {"matched", "group"}:
            self._chats[match.chat.id] = (match.phone, "group" if match.kind == "group" else "no_messages")

    def mark(self, chat_id: int, outcome: ChatOutcome) -> None:
        """What became of a matched chat. Chats that are unknown or groups are left as they are."""
        phone, before = self._chats.get(chat_id, ("", "group"))
        if before != "group":
            self._chats[chat_id] = (phone, outcome)

    def stages(self) -> list[Stage]:
        """leads, with_phone, with_chat, analysed: all counted in deals."""
        reached = self._best_by_phone()
        losses = Counter(self._loss(lead, reached) for lead in self._leads.values())
        count = len(self._leads)
        stages: list[Stage] = [{"stage": "leads", "count": count, "lost": {}}]
        for stage, reasons in _LOSSES.items():
            lost = {reason: losses[reason] for reason in reasons if losses[reason]}
            count -= sum(lost.values())
            stages.append({"stage": stage, "count": count, "lost": lost})
        return stages

    def chats(self) -> dict[str, int]:
        """Matched chats by outcome; together they are all matched chats."""
        outcomes = Counter(outcome for _, outcome in self._chats.values() if outcome != "group")
        return {outcome: outcomes[outcome] for outcome in _RANK if outcomes[outcome]}

    def to_json(self) -> dict[str, Any]:
        """For the step that continues the count."""
        leads = [[lead.lead_id, lead.has_contact, list(lead.phones)] for lead in self._leads.values()]
        return {"leads": leads, "chats": [[chat, *known] for chat, known in self._chats.items()]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Coverage:
        coverage = cls()
        coverage.add_leads(LeadPhones(key, has_contact, tuple(phones)) for key, has_contact, phones in data["leads"])
        coverage._chats = {chat: (phone, outcome) for chat, phone, outcome in data["chats"]}
        return coverage

    def _best_by_phone(self) -> dict[str, ChatOutcome]:
        best: dict[str, ChatOutcome] = {}
        for phone, outcome in self._chats.values():
            best[phone] = min(best.get(phone, outcome), outcome, key=_RANK.__getitem__)
        return best

    def _loss(self, lead: LeadPhones, reached: dict[str, ChatOutcome]) -> str:
        if not lead.has_contact:
            return "no_contact"
        if not lead.phones:
            return "no_phone"
        outcomes = [reached[phone] for phone in lead.phones if phone in reached]
        return min(outcomes, key=_RANK.__getitem__) if outcomes else "no_chat"


_LOSSES = {
    "with_phone": ("no_contact", "no_phone"),
    "with_chat": ("no_chat", "group"),
    "analysed": ("too_long", "over_budget", "blocked", "not_sent", "unreadable", "no_messages"),
}
