"""The figures of one chat, from its messages inside the window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from synkro.analysis.figures.calendar import WorkingHours
from synkro.analysis.figures.window import Window
from synkro.infra.records import Message


@dataclass(frozen=True, slots=True)
class ChatFigures:
    """Seconds everywhere; `work_*` count working hours only. inbound_by_hour: 24 counts in local time.

    waiting_s: from the first message of the client's last, unanswered run to the end of the window; silent_s: from
    its last message. Both None when the company had the last word.
    """

    messages_in: int
    messages_out: int
    out_failed: int
    responses_s: tuple[float, ...]
    work_responses_s: tuple[float, ...]
    first_response_s: float | None
    work_first_response_s: float | None
    unanswered: bool
    waiting_s: float | None
    silent_s: float | None
    inbound_by_hour: tuple[int, ...]

    @property
    def active(self) -> bool:
        return self.messages_in + self.messages_out > 0

    def unanswered_older_than(self, minutes: int) -> bool:
        return self.silent_s is not None and self.silent_s > minutes * 60


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive inbound messages and the answer that ended them, None when there was none inside the window."""

    first_at: datetime
    last_at: datetime
    answered_at: datetime | None


def inside(messages: Iterable[Message], window: Window) -> list[Message]:
    """The chat's messages of the window in the order they were said; a message fetched twice counts once."""
    unique = {message.id: message for message in messages if window.contains(message.at)}
    return sorted(unique.values(), key=lambda message: (message.at, message.position))


def chat_figures(messages: Iterable[Message], window: Window, hours: WorkingHours) -> ChatFigures:
    said = inside(messages, window)
    runs = _runs(said)
    responses = [(run.first_at, run.answered_at) for run in runs if run.answered_at]
    clock = tuple((answer - first).total_seconds() for first, answer in responses)
    work = tuple(hours.seconds_between(first, answer) for first, answer in responses)
    waiting = runs[-1] if len(runs) > len(responses) else None
    outbound = [message for message in said if message.direction == "out"]
    return ChatFigures(
        messages_in=len(said) - len(outbound),
        messages_out=len(outbound),
        out_failed=sum(message.failed for message in outbound),
        responses_s=clock,
        work_responses_s=work,
        # Only the last run can be unanswered, so the first response, if any, is that of the first run.
        first_response_s=next(iter(clock), None),
        work_first_response_s=next(iter(work), None),
        unanswered=waiting is not None,
        waiting_s=(window.end - waiting.first_at).total_seconds() if waiting else None,
        silent_s=(window.end - waiting.last_at).total_seconds() if waiting else None,
        inbound_by_hour=_by_hour(said, hours),
    )


def _runs(said: Sequence[Message]) -> list[Run]:
    runs: list[Run] = []
    first: datetime | None = None
    last: datetime | None = None
    for message in said:
        if message.direction == "in":
            first, last = first or message.at, message.at
        elif first and last:
            runs.append(Run(first, last, message.at))
            first = last = None
    if first and last:
        runs.append(Run(first, last, None))
    return runs


def _by_hour(said: Sequence[Message], hours: WorkingHours) -> tuple[int, ...]:
    counts = [0] * 24
    for message in said:
        if message.direction == "in":
            counts[message.at.astimezone(hours.zone).hour] += 1
    return tuple(counts)
