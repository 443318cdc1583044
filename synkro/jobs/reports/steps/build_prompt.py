"""Step 5: the figures of the window, and the dialogs masked, numbered and packed for the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from synkro.analysis.ai.dialogs import Dialog, Reader
from synkro.analysis.ai.packing import pack
from synkro.analysis.figures.dialogue import chat_figures, inside
from synkro.analysis.figures.totals import Figures
from synkro.analysis.matching.chats import ChatMatch, PhoneIndex
from synkro.analysis.text.masking import Masker
from synkro.infra.records import Message
from synkro.jobs.reports import handover
from synkro.jobs.reports.handover import FIGURES, MASKS, PACKS, Directory
from synkro.jobs.reports.step import Ctx, Done, Step
from synkro.models.plan import StepKey
from synkro.services.reports import schedules
from synkro.tenancy import end_reading

PACK_TOKENS = 60_000
"""Of dialogs in one request. Small enough for every model on offer and for an answer that still sees each dialog."""
MOST_PACKS = 40
"""The ceiling of what one report may cost: what lies above it is counted as over the budget, never cut silently."""


class BuildPrompt(Step):
    key = StepKey.BUILD_PROMPT

    def run(self, ctx: Ctx) -> Done:
        return _Build(ctx).run()


class _Build:
    """One pass over the dialogues feeds the figures and the packs; a killed one begins anew, since it costs no call."""

    def __init__(self, ctx: Ctx) -> None:
        self.ctx = ctx
        self.window = handover.window(ctx)
        self.directory: Directory = handover.directory(ctx)
        self.index: PhoneIndex = handover.phone_index(ctx)
        self.names = handover.client_names(ctx)
        self.masker = Masker()
        self.reader = Reader(handover.zone(ctx), self.masker)
        self.hours = schedules.working_hours(handover.zone(ctx))
        self.figures = Figures(self.window, self.index, self.directory.managers)
        self.too_long: list[int] = []
        end_reading()

    def run(self) -> Done:
        self.ctx.forget(PACKS)
        for lead in handover.selected_leads(self.ctx):
            self.figures.add_lead(lead)
        for match in handover.matches(self.ctx, self.index):
            self.figures.add_match(match)
        dialogs, over_budget = 0, 0
        for seq, packed in enumerate(pack(self._dialogs(), PACK_TOKENS, self.too_long.append)):
            self.ctx.beat(dialogs)
            if seq >= MOST_PACKS:
                over_budget += len(packed.dialogs)
                self._mark(packed.dialogs, "over_budget")
                continue
            dialogs += len(packed.dialogs)
            self.ctx.save(
                PACKS,
                seq,
                [{"text": packed.text, "refs": packed.refs, "cut": packed.cut}],
                tokens=packed.tokens,
            )
        self._mark(tuple(self.too_long), "too_long")
        self.ctx.save(FIGURES, 0, [self._counted()])
        self.ctx.save(MASKS, 0, [self.masker.issued])
        self.ctx.beat(dialogs, dialogs)
        return Done("over_budget", {"dialogs": over_budget}) if over_budget else Done()

    def _counted(self) -> dict[str, Any]:
        return {
            "figures": self.figures.result(),
            "coverage": self.figures.coverage.to_json(),
            "open_hours": self.hours.hours_of_day(self.window.start, self.window.end),
        }

    def _dialogs(self) -> Iterator[Dialog]:
        for match, messages in handover.dialogues(self.ctx, self.index):
            if messages is None:
                self._mark((match.chat.id,), "unreadable")
                continue
            self.figures.add_dialogue(match, chat_figures(messages, self.window, self.hours))
            if messages:
                yield self._dialog(match, inside(messages, self.window))

    def _dialog(self, match: ChatMatch, messages: list[Message]) -> Dialog:
        owner = match.owner
        manager = self.directory.managers.get(owner.manager_id or 0, "") if owner else ""
        stage = self.directory.stage_name(owner.pipeline_id, owner.status_id) if owner else ""
        known = self.names.get(match.phone or "", ())
        names = (match.chat.name, (match.chat.username or "").lstrip("@"), *known)
        return self.reader.dialog(match.chat.id, manager, stage, messages, names)

    def _mark(self, chats: tuple[int, ...], outcome: str) -> None:
        for chat in chats:
            self.figures.coverage.mark(chat, outcome)  # type: ignore[arg-type]
