"""AI: what would be sent about the dialogs that were looked at last, what the model says to it, and this written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from synkro.analysis.ai.answer import Answer
from synkro.analysis.ai.claims import AnswerError, read_answer
from synkro.analysis.ai.packing import estimate_tokens
from synkro.analysis.ai.restoring import restore
from synkro.integrations.ai.client import WORKS_LATER, Ai
from synkro.integrations.errors import ApiError
from synkro.integrations.supabase.client import Supabase
from synkro.jobs.connections.acts.ai_question import Question, question_of
from synkro.jobs.connections.acts.tried import Acts, Tried, client, counted, upsert
from synkro.jobs.connections.sample_package import SamplePackage
from synkro.jobs.reports.ai_questions import Cause, Paid, price
from synkro.models import AiCall, Trial
from synkro.services.connections import trials
from synkro.tenancy import db, end_reading

ANSWER_TOKENS = 2_000
"""Of an answer about a few dialogs, thinking included: our guess, before there is one."""
MONTH = 30
"""Reports."""


def package(trial: Trial) -> Tried:
    """Nothing is asked and nothing paid: tokens are counted by the vendor where it can, else guessed."""
    question = question_of(trial)
    if isinstance(question, Tried):
        return question
    ai = client(Ai)
    end_reading()
    counted_tokens = _counted(ai, question)
    guess = estimate_tokens(question.system) + estimate_tokens(question.package.user)
    tokens = counted_tokens or guess
    one = price(ai, tokens, ANSWER_TOKENS)
    found = {
        **question.kept,
        "tokens": tokens,
        "estimated": not counted_tokens,
        "answer_tokens": ANSWER_TOKENS,
        "cost": _money(one),
        "month": _money(one * MONTH if one is not None else None),
        "model": ai.provider.model,
        "dialogs": question.package.dialogs,
    }
    return Tried("green", "ai_package_ok", {"dialogs": question.package.dialogs, "tokens": tokens}, found)


def analysis(trial: Trial) -> Tried:
    """What was paid is booked, whatever the answer is worth."""
    question = question_of(trial)
    if isinstance(question, Tried):
        return question
    paid = Paid(client(Ai), Cause(trial.tenant_id, trial_id=trial.id))
    end_reading()
    try:
        said = paid.ask(question.system, question.package.user)
    except ApiError as error:
        if error.code not in WORKS_LATER:
            raise
        return Tried("yellow", error.code, error.params)
    db.session.commit()
    if said["outcome"] in ("too_long", "blocked"):
        return Tried("yellow", f"ai_{said['outcome']}", {"dialogs": question.package.dialogs})
    answer = read_answer(said["text"], question.package.refs)
    if isinstance(answer, AnswerError):
        is_cut = said["outcome"] == "truncated"
        return Tried("yellow", "ai_cut_off" if is_cut else "ai_bad_answer", {"answers": 1})
    found = {"trial": str(trial.id), **question.kept, **_usage(paid.calls), "answer": said["text"]}
    found |= {"dialogs": question.package.dialogs, **_said(answer, question.package)}
    if answer.unknown_refs:
        return Tried("yellow", "refs_dropped", {"refs": answer.unknown_refs}, found)
    return Tried("green", "ai_analysis_ok", {"findings": len(answer.findings) + len(answer.managers)}, found)


def write(_trial: Trial) -> Tried:
    """The newest analysis, under its own number: written twice it is there once."""
    made = trials.latest_of("ai").get("analysis")
    found = trials.result(made)
    if made is None or found is None:
        return Tried("red", "ai_analysis_first")
    row = {
        "run_id": str(made.id),
        "seq": 0,
        "model": found["model"],
        "prompt_hash": found["prompt_hash"],
        "outcome": "ok",
        "answer": {"text": found["answer"]},
        "tokens_in": found["tokens_in"],
        "tokens_out": found["tokens_out"],
        "created_at": made.asked_at.isoformat(),
    }
    supabase = client(Supabase)
    return counted(supabase, made, {"synkro_analyses": upsert(supabase, "synkro_analyses", [row])})


def _counted(ai: Ai, question: Question) -> int | None:
    """None where the vendor cannot count, or cannot just now."""
    try:
        return ai.count_tokens(question.system, question.package.user) or None
    except ApiError as error:
        if not error.passing:
            raise
        return None


def _said(answer: Answer, sent: SamplePackage) -> dict[str, Any]:
    """For people: with the names of clients, without their numbers."""
    told = restore(answer, sent.shown)
    return {
        "summary": told.summary,
        "findings": [
            {"kind": one.kind, "text": one.text, "evidence": sent.quotes(one.evidence)} for one in told.findings
        ],
        "managers": [
            {"name": one.name, "remark": one.remark, "evidence": sent.quotes(one.evidence)} for one in told.managers
        ],
        "unconfirmed": list(told.unconfirmed),
        "unknown_refs": told.unknown_refs,
    }


def _usage(calls: list[AiCall]) -> dict[str, Any]:
    costs = [call.cost for call in calls]
    known = [one for one in costs if one is not None]
    return {
        "tokens_in": sum(call.tokens_in for call in calls),
        "tokens_out": sum(call.tokens_out for call in calls),
        "cost": _money(sum(known, Decimal(0)) if len(known) == len(costs) else None),
        "model": calls[-1].model,
        "prompt_hash": calls[-1].prompt_hash,
    }


def _money(cost: Decimal | None) -> str | None:
    return f"{cost:.6f}" if cost is not None else None


ACTS: Acts = {"package": package, "analysis": analysis, "write": write}
