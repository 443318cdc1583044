"""Step 6: the model reads the packs. Every paid answer is kept before anything else is done with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from synkro.analysis.answer import Answer
from synkro.analysis.claims import AnswerError, read_answer
from synkro.analysis.merge import merge
from synkro.analysis.prompt import system_instruction, user_part
from synkro.integrations.ai import Ai
from synkro.integrations.errors import ApiError
from synkro.jobs.asking import Asker
from synkro.jobs.handover import ANSWER, FIGURES, PACKS
from synkro.jobs.step import Ctx, Done, Step
from synkro.models.plan import BY_KEY, StepKey
from synkro.models.states import Topic
from synkro.services.connections import prompts
from synkro.services.connections.integrations import NotConnected
from synkro.services.reporting.steps import LONGEST_PAUSE

SPLIT = ("blocked", "too_long")
"""Outcomes of a question that may yet be answered in parts."""
LINE_REF = re.compile(r"^\[(d\d+m\d+)\] ", re.MULTILINE)
DIALOG_HEAD = re.compile(r"^(?=## d\d+ )", re.MULTILINE)


class Analyse(Step):
    key = StepKey.ANALYSE

    def run(self, ctx: Ctx) -> Done:
        """Without a usable model the report is still made, of figures alone: yellow, with the reason."""
        try:
            return _Analysis(ctx, Asker.of(ctx, ctx.connect(Ai))).run()
        except NotConnected:
            return _figures_only(ctx, "ai_not_connected", {})
        except ApiError as error:
            most = BY_KEY[self.key].most_attempts
            last_try = ctx.claim.attempt >= min(most, error.most_tries or most)
            # a quota that comes back tomorrow is not waited for: the morning's report would come in the evening
            too_far = (error.retry_after or 0) > LONGEST_PAUSE
            if error.passing and not last_try and not too_far:
                raise
            return _figures_only(ctx, error.code, error.params)


def _figures_only(ctx: Ctx, code: str, params: dict[str, Any]) -> Done:
    ctx.save(ANSWER, 0, [{"answer": None, "outcomes": {}, "reason": code, "params": params, "model": ""}])
    return Done(code, params)


@dataclass(slots=True)
class _Analysis:
    ctx: Ctx
    asker: Asker
    answers: list[Answer] = field(default_factory=list)
    outcomes: dict[int, str] = field(default_factory=dict)
    bad_answers: int = 0
    model: str = ""

    def run(self) -> Done:
        task, knowledge = prompts.current(Topic.TASK).body, prompts.current(Topic.KNOWLEDGE).body
        system = system_instruction(task, knowledge, self.ctx.run.language)
        figures = self._figures()
        total = self.ctx.count(PACKS)
        for read, page in enumerate(self.ctx.pages(PACKS)):
            self.ctx.beat(read, total)
            packed = page.rows[0]
            self._ask(system, figures, packed["text"], packed["refs"])
        self.ctx.beat(total, total)
        answer = merge(self.answers)
        done = self._done(answer, total)
        row = {"answer": answer.to_json() if self.answers else None, "outcomes": self.outcomes, "model": self.model}
        reason = {"reason": "", "params": {}} if self.answers else {"reason": done.code, "params": done.params}
        self.ctx.save(ANSWER, 0, [{**row, **reason}])
        return done

    def _done(self, answer: Answer, packs: int) -> Done:
        if packs == 0:
            return Done("nothing_to_analyse")
        lost = Counter(self.outcomes.values())
        if self.bad_answers:
            return Done("ai_bad_answer", {"answers": self.bad_answers})
        if lost["blocked"]:
            return Done("ai_blocked", {"dialogs": lost["blocked"]})
        if lost["too_long"]:
            return Done("ai_too_long", {"dialogs": lost["too_long"]})
        return Done("refs_dropped", {"refs": answer.unknown_refs}) if answer.unknown_refs else Done()

    def _figures(self) -> dict[str, Any]:
        page = self.ctx.page(FIGURES)
        if page is None:
            raise LookupError(FIGURES)
        return dict(page.rows[0]["figures"])

    def _ask(self, system: str, figures: dict[str, Any], text: str, refs: dict[str, Any]) -> None:
        """One pack. One that is refused is halved until the dialog that is minded, or is too long, stands alone."""
        said = self.asker.answer(system, user_part(figures, text))
        self.model = said["model"] or self.model
        sent = {ref: refs[ref] for ref in LINE_REF.findall(text)}
        chats = {chat for chat, _ in sent.values()}
        if said["outcome"] in SPLIT:
            halves = list(_halves(text))
            if len(halves) < 2:
                self.outcomes.update(dict.fromkeys(chats, said["outcome"]))
                return
            for half in halves:
                self._ask(system, figures, half, refs)
            return
        answer = read_answer(said["text"], sent)
        if isinstance(answer, AnswerError):
            self.bad_answers += 1
            return
        self.answers.append(answer)
        self.outcomes.update(dict.fromkeys(chats, "analysed"))


def _halves(text: str) -> Iterator[str]:
    """The dialogs of a pack in two halves; a single dialog stays whole."""
    dialogs = [part for part in DIALOG_HEAD.split(text) if part.strip()]
    middle = len(dialogs) // 2
    yield from ("".join(half) for half in (dialogs[:middle], dialogs[middle:]) if half)
