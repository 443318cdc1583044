"""Step 6: the model reads the packs. Every paid answer is kept before anything else is done with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from synkro.analysis.ai.answer import Answer
from synkro.analysis.ai.claims import AnswerError, read_answer
from synkro.analysis.ai.merge import merge
from synkro.analysis.ai.prompt import system_instruction, user_part
from synkro.analysis.figures.coverage import ChatOutcome
from synkro.integrations.ai.client import Ai
from synkro.integrations.errors import ApiError
from synkro.jobs.reports.ai_questions import Asker
from synkro.jobs.reports.handover import ANSWER, FIGURES, PACKS
from synkro.jobs.reports.step import Ctx, Done, Step
from synkro.models.plan import BY_KEY, StepKey
from synkro.models.states import Topic
from synkro.services.connections import prompts
from synkro.services.connections.integrations import NotConnected
from synkro.services.reports import reports
from synkro.services.reports.steps import LONGEST_PAUSE

SPLIT = ("blocked", "too_long")
"""Outcomes of a question that may yet be answered in parts."""
LINE_REF = re.compile(r"^\[(d\d+m\d+)\] ", re.MULTILINE)
DIALOG_HEAD = re.compile(r"^(?=## d\d+ )", re.MULTILINE)


class Analyse(Step):
    key = StepKey.ANALYSE

    def run(self, ctx: Ctx) -> Done:
        """Without a usable model the report is still made: yellow, with the reason.

        It is made of what was answered so far, if anything was, and of figures.
        """
        analysis = _Analysis(ctx)
        try:
            analysis.ask(ctx.connect(Ai))
        except NotConnected:
            return analysis.end(Done("ai_not_connected"))
        except ApiError as error:
            if _may_yet_work(ctx, error):
                raise
            return analysis.end(Done(error.code, error.params))
        return analysis.end(analysis.remark())


def _may_yet_work(ctx: Ctx, error: ApiError) -> bool:
    most = BY_KEY[StepKey.ANALYSE].most_attempts
    last_try = ctx.claim.attempt >= min(most, error.most_tries or most)
    # a quota that comes back tomorrow is not waited for: the morning's report would come in the evening
    too_far = (error.retry_after or 0) > LONGEST_PAUSE
    return error.passing and not last_try and not too_far


@dataclass(frozen=True, slots=True)
class _Pack:
    """What its dialogs are asked about with. cut: chats whose older part was left out."""

    asker: Asker
    system: str
    figures: dict[str, Any]
    refs: dict[str, Any]
    cut: frozenset[int]


@dataclass(slots=True)
class _Analysis:
    """What no answer was got for stays "not sent", as the step before has marked it."""

    ctx: Ctx
    answers: list[Answer] = field(default_factory=list)
    outcomes: dict[int, ChatOutcome] = field(default_factory=dict)
    packs: int = 0
    bad_answers: int = 0
    model: str = ""

    def ask(self, ai: Ai) -> None:
        """All packs, one after another. Raises ApiError; what was answered before that stays."""
        asker = Asker.of(self.ctx, ai)
        task, knowledge = prompts.current(Topic.TASK).body, prompts.current(Topic.KNOWLEDGE).body
        system = system_instruction(task, knowledge, self.ctx.run.language)
        figures = self._figures()
        self.packs = self.ctx.count(PACKS)
        for read, page in enumerate(self.ctx.pages(PACKS)):
            self.ctx.beat(read, self.packs)
            row = page.rows[0]
            # a run that goes on after an update may have packs without "cut"
            pack = _Pack(asker, system, figures, row["refs"], frozenset(row.get("cut", ())))
            self._ask(pack, row["text"])
        self.ctx.beat(self.packs, self.packs)

    def end(self, done: Done) -> Done:
        """Hand over what was answered. reason: why it is not all, or nothing."""
        answer = merge(self.answers).to_json() if self.answers else None
        row = {"answer": answer, "outcomes": self.outcomes, "model": self.model}
        reason = "" if done.code in reports.NO_GAP else done.code
        self.ctx.save(ANSWER, 0, [{**row, "reason": reason, "params": done.params}])
        return done

    def remark(self) -> Done:
        if self.packs == 0:
            return Done("nothing_to_analyse")
        lost = Counter(self.outcomes.values())
        if self.bad_answers:
            return Done("ai_bad_answer", {"answers": self.bad_answers})
        if lost["blocked"]:
            return Done("ai_blocked", {"dialogs": lost["blocked"]})
        if lost["too_long"]:
            return Done("ai_too_long", {"dialogs": lost["too_long"]})
        unknown = sum(answer.unknown_refs for answer in self.answers)
        return Done("refs_dropped", {"refs": unknown}) if unknown else Done()

    def _figures(self) -> dict[str, Any]:
        page = self.ctx.page(FIGURES)
        if page is None:
            raise LookupError(FIGURES)
        return dict(page.rows[0]["figures"])

    def _ask(self, pack: _Pack, text: str) -> None:
        """One pack. One that is refused is halved until the dialog that is minded, or is too long, stands alone."""
        said = pack.asker.answer(pack.system, user_part(pack.figures, text))
        self.model = said["model"] or self.model
        sent = {ref: pack.refs[ref] for ref in LINE_REF.findall(text)}
        chats = {chat for chat, _ in sent.values()}
        if said["outcome"] in SPLIT:
            halves = list(_halves(text))
            if len(halves) < 2:
                self.outcomes.update(dict.fromkeys(chats, said["outcome"]))
                return
            for half in halves:
                self._ask(pack, half)
            return
        answer = read_answer(said["text"], sent)
        if isinstance(answer, AnswerError):
            self.bad_answers += 1
            return
        self.answers.append(answer)
        self.outcomes.update((chat, "analysed_in_part" if chat in pack.cut else "analysed") for chat in chats)


def _halves(text: str) -> Iterator[str]:
    """The dialogs of a pack in two halves; a single dialog stays whole."""
    dialogs = [part for part in DIALOG_HEAD.split(text) if part.strip()]
    middle = len(dialogs) // 2
    yield from ("".join(half) for half in (dialogs[:middle], dialogs[middle:]) if half)
