"""One question to the client's model: paid for once, its cost booked, its answer kept for a later try."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from synkro.analysis.ai.claims import ANSWER_SCHEMA
from synkro.analysis.ai.packing import estimate_tokens
from synkro.infra import clock
from synkro.integrations.ai.client import Ai, Generation, cost
from synkro.integrations.errors import ApiError, Gone
from synkro.jobs.reports.handover import call_name
from synkro.jobs.reports.step import Ctx
from synkro.models import AiCall
from synkro.models.plan import StepKey
from synkro.services.reports import reports
from synkro.tenancy import db

OUTPUT_TOKENS = 8_192
LONGEST_OUTPUT_TOKENS = 2 * OUTPUT_TOKENS
"""For the second try of an answer that was cut off."""
SURE_SHARE = 0.6
"""Of the model's input limit. A question above it by our guess, which may be that wrong, is counted by the vendor."""
TOO_LONG: dict[str, Any] = {"text": "", "outcome": "too_long", "model": ""}


@dataclass(frozen=True, slots=True)
class Cause:
    """For what the company pays: a run or a trial."""

    tenant_id: uuid.UUID
    run_id: uuid.UUID | None = None
    trial_id: uuid.UUID | None = None


@dataclass(slots=True)
class Paid:
    """Questions whose cost is booked. calls: what was paid for so far."""

    ai: Ai
    cause: Cause
    seq: int = 0
    calls: list[AiCall] = field(default_factory=list)

    def ask(self, system: str, user: str) -> dict[str, Any]:
        """{text, outcome, model}. The caller commits: the last booking belongs together with what becomes of it.

        outcome: that of a Generation, or "too_long" for a question that the model cannot take; nothing was paid then.
        """
        if self._is_too_long(system, user):
            return TOO_LONG
        asked = prompt_hash(self.ai, system, user)
        try:
            said = self._generated(system, user, asked)
        except Gone as error:
            if error.code != "ai_too_long":
                raise
            return TOO_LONG
        self._book(said, asked)
        self.seq += 1
        return {"text": said.text, "outcome": said.outcome, "model": said.model}

    def _generated(self, system: str, user: str, asked: str) -> Generation:
        """The answer. One that was cut off, or is empty, is asked for once more with all the room that there is."""
        first, more = self._room(OUTPUT_TOKENS), self._room(LONGEST_OUTPUT_TOKENS)
        said = self.ai.generate(system, user, ANSWER_SCHEMA, first)
        if said.outcome == "empty" or (said.outcome == "truncated" and more > first):
            self._book(said, asked)
            db.session.commit()
            said = self.ai.generate(system, user, ANSWER_SCHEMA, more)
        return said

    def _room(self, tokens: int) -> int:
        limit = self.ai.limits.output_limit if self.ai.limits else 0
        return min(tokens, limit or tokens)

    def _is_too_long(self, system: str, user: str) -> bool:
        limit = self.ai.limits.input_limit if self.ai.limits else 0
        guess = estimate_tokens(system) + estimate_tokens(user)
        if not limit or guess <= SURE_SHARE * limit:
            return False
        try:
            counted = self.ai.count_tokens(system, user)
        except ApiError:
            return False
        return (guess if counted is None else counted) > limit

    def _book(self, said: Generation, asked: str) -> None:
        """The usage of a call."""
        call = AiCall(
            tenant_id=self.cause.tenant_id,
            run_id=self.cause.run_id,
            trial_id=self.cause.trial_id,
            purpose=str(StepKey.ANALYSE),
            seq=self.seq,
            provider=self.ai.settings.get("provider") or "gemini",
            model=said.model,
            outcome=said.outcome,
            prompt_hash=asked,
            tokens_in=said.tokens_in,
            tokens_out=said.tokens_out,
            cost=price(self.ai, said.tokens_in, said.tokens_out, said.model),
            usage={"thought": said.tokens_thought},
        )
        db.session.add(call)
        self.calls.append(call)


@dataclass(slots=True)
class Asker:
    """Asks in a run, where an earlier try may have the answer already.

    An answer's page has the number of its call among those of the run. since: the first that counts; those before it
    are of a step that was done, and is being done anew.
    """

    ctx: Ctx
    paid: Paid
    since: int

    @classmethod
    def of(cls, ctx: Ctx, ai: Ai) -> Asker:
        if "since" not in ctx.cursor:
            ctx.mark(since=_calls(ctx))
        return cls(ctx, Paid(ai, Cause(ctx.claim.tenant_id, run_id=ctx.run.id)), ctx.cursor["since"])

    def answer(self, system: str, user: str) -> dict[str, Any]:
        """What Paid.ask says to exactly this question, asked once however many tries the step takes."""
        name = call_name(prompt_hash(self.paid.ai, system, user))
        if known := next(self.ctx.pages(name, self.since - 1), None):
            return dict(known.rows[0])
        self.ctx.beat()
        row = self.paid.ask(system, user)
        if row is not TOO_LONG:
            self.ctx.save(name, _calls(self.ctx) - 1, [row])
        return row


def _calls(ctx: Ctx) -> int:
    return int(reports.ai_usage(ctx.run.id)["calls"])


def prompt_hash(ai: Ai, system: str, user: str) -> str:
    return hashlib.sha256(f"{ai.settings.get('model')}\0{system}\0{user}".encode()).hexdigest()


def price(ai: Ai, tokens_in: int, tokens_out: int, answered: str = "") -> Decimal | None:
    """US dollars; None where the price is not known.

    answered: the model by its own account, which may be a version of the chosen one that the table does not name.
    """
    today = clock.now().date()
    prices = (cost(model, tokens_in, tokens_out, today) for model in (answered, ai.provider.model))
    return next((found for found in prices if found is not None), None)
