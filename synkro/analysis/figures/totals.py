"""Adds deals, chats and dialogues up, one at a time, into the figures of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synkro.analysis.figures.coverage import Coverage
from synkro.analysis.figures.dialogue import ChatFigures
from synkro.analysis.figures.leads import LeadSums
from synkro.analysis.figures.spread import spread
from synkro.analysis.figures.window import Window
from synkro.analysis.matching.chats import ChatMatch, PhoneIndex
from synkro.infra.records import Lead

WAITING_MARKS = (15, 60, 240, 1440)
"""Minutes of silence the waiting list is counted by."""

NOBODY = "—"
"""How a deal without a responsible user is shown."""


@dataclass(slots=True)
class _Speed:
    """First responses and responses in seconds, by one of the two clocks."""

    first: list[float] = field(default_factory=list)
    every: list[float] = field(default_factory=list)

    def add(self, first: float | None, every: tuple[float, ...]) -> None:
        self.every.extend(every)
        if first is not None:
            self.first.append(first)

    def result(self) -> dict[str, float | None]:
        first, every = spread(self.first), spread(self.every)
        return {
            "first_response_median_s": first.median,
            "first_response_p90_s": first.p90,
            "response_median_s": every.median,
            "response_p90_s": every.p90,
        }


@dataclass(slots=True)
class _Part:
    """The figures of one manager, or of everybody."""

    leads: LeadSums = field(default_factory=LeadSums)
    clock: _Speed = field(default_factory=_Speed)
    work: _Speed = field(default_factory=_Speed)
    chats_matched: int = 0
    messages_in: int = 0
    messages_out: int = 0
    out_failed: int = 0
    active_chats: int = 0
    unanswered: int = 0

    def add(self, chat: ChatFigures) -> None:
        self.clock.add(chat.first_response_s, chat.responses_s)
        self.work.add(chat.work_first_response_s, chat.work_responses_s)
        self.messages_in += chat.messages_in
        self.messages_out += chat.messages_out
        self.out_failed += chat.out_failed
        self.active_chats += chat.active
        self.unanswered += chat.unanswered

    def result(self) -> dict[str, Any]:
        return {
            **self.leads.result(),
            "chats_matched": self.chats_matched,
            "messages_in": self.messages_in,
            "messages_out": self.messages_out,
            "out_failed": self.out_failed,
            "active_chats": self.active_chats,
            "unanswered": self.unanswered,
            **self.clock.result(),
            "first_response_n": len(self.clock.first),
            "response_n": len(self.clock.every),
            "working_hours": self.work.result(),
        }


class Figures:
    """Feed it every selected deal, every chat's match and every matched chat's figures. Doubles change nothing.

    A chat's match comes before its figures.
    """

    def __init__(self, window: Window, index: PhoneIndex, managers: Mapping[int, str]) -> None:
        """managers: names by CRM user id."""
        self.coverage = Coverage()
        self.coverage.add_leads(index.leads)
        self._window = window
        self._index = index
        self._managers = managers
        self._all = _Part()
        self._parts: dict[int | None, _Part] = {}
        self._seen: set[tuple[str, int]] = set()
        self._counts = dict.fromkeys(_CHAT_COUNTS, 0)
        self._waiting = dict.fromkeys(WAITING_MARKS, 0)
        self._by_hour = [0] * 24

    def add_lead(self, lead: Lead) -> None:
        if self._is_new("lead", lead.id):
            self._all.leads.add(lead)
            self._part(lead.responsible_user_id).leads.add(lead)

    def add_match(self, match: ChatMatch) -> None:
        if not self._is_new("chat", match.chat.id):
            return
        self.coverage.add_match(match)
        if match.owner:
            self._all.chats_matched += 1
            self._part(match.owner.manager_id).chats_matched += 1
            self._counts["several_managers"] += match.several_managers
        elif match.kind == "unmatched":
            self._add_unmatched(match)
        else:
            self._counts["chats_matched_via_sibling" if match.kind == "sibling" else "chats_group"] += 1

    def add_dialogue(self, match: ChatMatch, chat: ChatFigures) -> None:
        """Only matched chats are read; anything else here would break the promise, so it is an error."""
        if match.owner is None:
            raise ValueError("only matched chats have dialogue figures")
        if not self._is_new("dialogue", match.chat.id):
            return
        self._all.add(chat)
        self._part(match.owner.manager_id).add(chat)
        self._by_hour = [total + count for total, count in zip(self._by_hour, chat.inbound_by_hour, strict=True)]
        for minutes in WAITING_MARKS:
            self._waiting[minutes] += chat.unanswered_older_than(minutes)
        if chat.active:
            self.coverage.mark(match.chat.id, "not_sent")

    def result(self) -> dict[str, Any]:
        """Every figure by name: whole numbers, seconds as floats or None where there is nothing to measure."""
        return {
            **self._all.result(),
            **self._counts,
            "missing_contacts": len(self._index.missing_contacts),
            "unanswered_older_than": {str(minutes): count for minutes, count in self._waiting.items()},
            "inbound_by_hour": list(self._by_hour),
            "by_manager": self._by_manager(),
            "coverage": self.coverage.stages(),
            "chats_by_outcome": self.coverage.chats(),
        }

    def _add_unmatched(self, match: ChatMatch) -> None:
        self._counts["chats_unmatched"] += 1
        active = match.chat.last_at is not None and self._window.contains(match.chat.last_at)
        self._counts["unmatched_active"] += active
        self._counts["unmatched_waiting"] += active and match.chat.last_direction == "in"

    def _by_manager(self) -> list[dict[str, Any]]:
        rows = [{"manager_id": key, "name": self._name(key), **part.result()} for key, part in self._parts.items()]
        return sorted(rows, key=lambda row: (-row["leads_in_window"], -row["chats_matched"], row["manager_id"] or 0))

    def _name(self, manager_id: int | None) -> str:
        return NOBODY if manager_id is None else self._managers.get(manager_id) or f"#{manager_id}"

    def _part(self, manager_id: int | None) -> _Part:
        return self._parts.setdefault(manager_id, _Part())

    def _is_new(self, kind: str, key: int) -> bool:
        before = len(self._seen)
        self._seen.add((kind, key))
        return len(self._seen) > before


_CHAT_COUNTS = (
    "chats_unmatched",
    "chats_matched_via_sibling",
    "chats_group",
    "several_managers",
    "unmatched_active",
    "unmatched_waiting",
)
