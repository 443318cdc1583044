"""One question to the client's model: paid for once, its cost booked, its answer kept for a later try."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from synkro import clock
from synkro.analysis.claims import ANSWER_SCHEMA
from synkro.analysis.packing import estimate_tokens
from synkro.integrations.ai import Ai, Generation, cost
from synkro.integrations.errors import ApiError, Gone
from synkro.jobs.handover import call_name
from synkro.jobs.step import Ctx
from synkro.models import AiCall
from synkro.models.plan import StepKey
from synkro.tenancy import db

OUTPUT_TOKENS = 8_192
LONGEST_OUTPUT_TOKENS = 2 * OUTPUT_TOKENS
"""For the second try of an answer that was cut off."""
SURE_SHARE = 0.6
"""Of the model's input limit. A question above it by our guess, which may be that wrong, is counted by the vendor."""
TOO_LONG: dict[str, Any] = {"text": "", "outcome": "too_long", "model": ""}


@dataclass(slots=True)
class Asker:
    ctx: Ctx
    ai: Ai
    seq: int = 0

    def answer(self, system: str, user: str) -> dict[str, Any]:
        """{text, outcome, model} to exactly this question: from an earlier try of this run where there is one.

        outcome: that of a Generation, or "too_long" for a question that the model cannot take; nothing was paid then.
        """
        asked = hashlib.sha256(f"{self.ai.settings.get('model')}\0{system}\0{user}".encode()).hexdigest()
        name = call_name(asked)
        if known := self.ctx.page(name):
            return dict(known.rows[0])
        self.ctx.beat()
        if self._is_too_long(system, user):
            return TOO_LONG
        try:
            said = self._generated(system, user, asked)
        except Gone as error:
            if error.code != "ai_too_long":
                raise
            return TOO_LONG
        row = {"text": said.text, "outcome": said.outcome, "model": said.model}
        self._book(said, asked)
        self.ctx.save(name, 0, [row])
        self.seq += 1
        return row

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
        if not limit or estimate_tokens(system) + estimate_tokens(user) <= SURE_SHARE * limit:
            return False
        try:
            return self.ai.count_tokens(system, user) > limit
        except ApiError:
            return False

    def _book(self, said: Generation, asked: str) -> None:
        """The usage of a call, committed together with its answer."""
        call = AiCall(
            tenant_id=self.ctx.claim.tenant_id,
            run_id=self.ctx.run.id,
            purpose=str(StepKey.ANALYSE),
            seq=self.seq,
            provider=self.ai.settings.get("provider") or "gemini",
            model=said.model,
            outcome=said.outcome,
            prompt_hash=asked,
            tokens_in=said.tokens_in,
            tokens_out=said.tokens_out,
            cost=self._cost(said),
            usage={"thought": said.tokens_thought},
        )
        db.session.add(call)

    def _cost(self, said: Generation) -> Decimal | None:
        """The answer may name a version of the chosen model, such as -001, that the table of prices does not."""
        today = clock.now().date()
        prices = (cost(model, said.tokens_in, said.tokens_out, today) for model in (said.model, self.ai.provider.model))
        return next((price for price in prices if price is not None), None)
