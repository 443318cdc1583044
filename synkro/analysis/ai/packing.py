"""Dialogs into packs that fit the AI's limit, each message under a short ref that an answer can cite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from synkro.analysis.ai.dialogs import Dialog, Line

Estimate = Callable[[str], int]
MessageKey = tuple[int, str]
"""(chat id, message id)"""


@dataclass(frozen=True, slots=True)
class Pack:
    """What one call to the AI carries. refs: "d3m12" to its message. cut: chats whose older part was left out."""

    text: str
    tokens: int
    refs: dict[str, MessageKey]
    dialogs: tuple[int, ...]
    cut: tuple[int, ...]


@dataclass(slots=True)
class _Draft:
    lines: list[str] = field(default_factory=list)
    tokens: int = 0
    refs: dict[str, MessageKey] = field(default_factory=dict)
    dialogs: list[int] = field(default_factory=list)
    cut: list[int] = field(default_factory=list)

    def pack(self, estimate: Estimate) -> Pack:
        text = "".join(self.lines)
        return Pack(text, estimate(text), self.refs, tuple(self.dialogs), tuple(self.cut))


@dataclass(frozen=True, slots=True)
class _Block:
    """A dialog in its final lines."""

    chat_id: int
    lines: list[str]
    tokens: int
    refs: dict[str, MessageKey]
    is_cut: bool


def estimate_tokens(text: str) -> int:
    """An upper guess: three characters a token, and for emoji, which cost more, five bytes a token."""
    return max(-(-len(text) // 3), -(-len(text.encode("utf-8", "replace")) // 5))


def pack(
    dialogs: Iterable[Dialog],
    limit_tokens: int,
    on_too_long: Callable[[int], None],
    estimate: Estimate = estimate_tokens,
) -> Iterator[Pack]:
    """Streams packs, one in memory at a time. Refs are unique over all packs of the call.

    A dialog over the limit keeps its latest part, with a note. One whose last message alone does not fit is left
    out and its chat id given to on_too_long.
    """
    draft = _Draft()
    for number, dialog in enumerate(dialogs, start=1):
        block = _block(number, dialog, limit_tokens, estimate)
        if block is None:
            on_too_long(dialog.chat_id)
            continue
        if draft.dialogs and draft.tokens + block.tokens > limit_tokens:
            yield draft.pack(estimate)
            draft = _Draft()
        _append(draft, block)
    if draft.dialogs:
        yield draft.pack(estimate)


def _append(draft: _Draft, block: _Block) -> None:
    draft.lines += block.lines
    draft.tokens += block.tokens
    draft.refs |= block.refs
    draft.dialogs.append(block.chat_id)
    if block.is_cut:
        draft.cut.append(block.chat_id)


def _block(number: int, dialog: Dialog, limit: int, estimate: Estimate) -> _Block | None:
    """None when not even the last message fits."""
    header = f"## d{number} | manager: {dialog.manager} | stage: {dialog.stage}\n"
    numbered = list(enumerate(dialog.lines, start=1))
    rows = [_row(number, position, line) for position, line in numbered]
    # The note's length is set aside always: a few tokens lost, and no second pass.
    room = limit - estimate(header) - estimate(_note(len(rows)))
    first = _first_that_fits(rows, room, estimate)
    if first == len(rows):
        return None
    lines = [header, *([_note(first)] if first else []), *_with_days(dialog.lines[first:], rows[first:])]
    refs = {f"d{number}m{position}": (dialog.chat_id, line.message_id) for position, line in numbered[first:]}
    return _Block(dialog.chat_id, lines, sum(map(estimate, lines)), refs, first > 0)


def _first_that_fits(rows: Sequence[str], room: int, estimate: Estimate) -> int:
    """Index of the oldest row of the latest part that fits; each row is counted with a day line it may bring."""
    day_line = estimate(_DAY_LINE)
    for index in range(len(rows) - 1, -1, -1):
        room -= estimate(rows[index]) + day_line
        if room < 0:
            return index + 1
    return 0


def _row(number: int, position: int, line: Line) -> str:
    return f"[d{number}m{position}] {line.at:%H:%M} {line.speaker}: {line.text}\n"


_DAY_LINE = "-- 2026-01-01\n"


def _with_days(lines: Sequence[Line], rows: Sequence[str]) -> Iterator[str]:
    day = None
    for line, row in zip(lines, rows, strict=True):
        if line.at.date() != day:
            day = line.at.date()
            yield f"-- {day.isoformat()}\n"
        yield row


def _note(left_out: int) -> str:
    return f"(the dialog is long: {left_out} earlier messages are left out)\n"
