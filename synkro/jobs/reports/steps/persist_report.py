"""Step 7: figures and claims become a report, in the client's Supabase and in the cabinet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import force_locale, gettext

from synkro.analysis.ai.answer import Answer
from synkro.analysis.ai.restoring import discreet, restore
from synkro.analysis.figures.coverage import Coverage
from synkro.analysis.report.texts import plain_text
from synkro.infra import clock
from synkro.jobs.reports.evidence import Quotes
from synkro.jobs.reports.handover import ANSWER, FIGURES, MASKS, REPORT, call_name
from synkro.jobs.reports.rendering import as_report
from synkro.jobs.reports.step import Ctx, Done, Step
from synkro.jobs.reports.steps.writing import Writer
from synkro.models.plan import StepKey
from synkro.models.states import ReportStatus
from synkro.services.reports import reports, steps
from synkro.services.reports.artifacts import FINAL
from synkro.tenancy import db


class PersistReport(Step):
    key = StepKey.PERSIST_REPORT

    def run(self, ctx: Ctx) -> Done:
        result = _read(ctx)
        body = _body(ctx, result)
        writer = Writer(ctx)
        ctx.beat(0, 2)
        writer.upsert("synkro_reports", [_report_row(ctx, result, body)])
        writer.insist()
        writer.upsert("synkro_analyses", list(_analysis_rows(ctx)))
        ctx.beat(1, 2)
        ctx.save(REPORT, 0, [body])
        told = result.told
        ctx.save(FINAL, 0, [{"answer": told.to_json() if told else None, "reason": result.reason}])
        status = ReportStatus.READY if told else ReportStatus.FIGURES_ONLY
        steps.hold(ctx.claim)
        reports.save(ctx.run, status, told.summary if told else "", result.figures, result.figures["coverage"])
        db.session.commit()
        ctx.beat(2, 2)
        return writer.done()


@dataclass(frozen=True, slots=True)
class _Result:
    """answer: with everything in clear, for the cabinet and the client's own database.

    told: the same for the group and the central summary, where phones and addresses stay hidden.
    """

    figures: dict[str, Any]
    answer: Answer | None
    told: Answer | None
    model: str
    reason: tuple[str, dict[str, Any]]


def _read(ctx: Ctx) -> _Result:
    """What earlier steps found, with the coverage brought up to what the model really saw."""
    counted, said, masks = (ctx.page(name) for name in (FIGURES, ANSWER, MASKS))
    if counted is None or said is None or masks is None:
        raise LookupError(FIGURES)
    found, row, issued = counted.rows[0], said.rows[0], masks.rows[0]
    coverage = Coverage.from_json(found["coverage"])
    for chat, outcome in row["outcomes"].items():
        coverage.mark(int(chat), outcome)
    figures = {
        **found["figures"],
        "coverage": coverage.stages(),
        "chats_by_outcome": coverage.chats(),
        "open_hours": found.get("open_hours"),  # a run that goes on after an update may have counted without them
    }
    answer = Answer.from_json(row["answer"]) if row["answer"] else None
    return _Result(
        figures=figures,
        answer=restore(answer, issued) if answer else None,
        told=restore(answer, discreet(issued)) if answer else None,
        model=row["model"],
        reason=(row["reason"], row["params"]),
    )


def _body(ctx: Ctx, result: _Result) -> dict[str, Any]:
    """Text, findings, unconfirmed claims and remarks, with real names and the messages that were cited."""
    with force_locale(ctx.run.language):
        text = plain_text(as_report(ctx.run, result.figures, result.answer, result.reason), gettext)
    answer = result.answer
    if answer is None:
        return {"text": text, "findings": [], "unconfirmed": [], "managers": []}
    quotes = Quotes(ctx, _cited(answer))
    return {
        "text": text,
        "findings": [
            {"kind": finding.kind, "text": finding.text, "evidence": quotes.of(finding.evidence)}
            for finding in answer.findings
        ],
        "unconfirmed": list(answer.unconfirmed),
        "managers": [
            {"name": remark.name, "remark": remark.remark, "evidence": quotes.of(remark.evidence)}
            for remark in answer.managers
        ],
    }


def _cited(answer: Answer) -> set[str]:
    findings = {ref for finding in answer.findings for ref in finding.evidence}
    return findings | {ref for remark in answer.managers for ref in remark.evidence}


def _report_row(ctx: Ctx, result: _Result, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "report_id": str(reports.id_for(ctx.run.id)),
        "run_id": str(ctx.run.id),
        "kind": ctx.run.kind,
        "window_start": ctx.start.isoformat(),
        "window_end": ctx.end.isoformat(),
        "body_markdown": body["text"],
        "summary": result.answer.summary if result.answer else "",
        "figures": result.figures,
        "findings": body["findings"],
        "coverage": result.figures["coverage"],
        "model": result.model or None,
        "created_at": clock.now().isoformat(),
    }


def _analysis_rows(ctx: Ctx) -> Iterator[dict[str, Any]]:
    """Each paid answer as the model gave it, with its placeholders."""
    for seq, call in enumerate(reports.ai_calls(ctx.run.id)):
        said = ctx.page(call_name(call.prompt_hash), seq)
        yield {
            "run_id": str(ctx.run.id),
            "seq": seq,
            "model": call.model,
            "prompt_hash": call.prompt_hash,
            "outcome": call.outcome,
            "answer": {"text": said.rows[0]["text"]} if said else None,
            "tokens_in": call.tokens_in,
            "tokens_out": call.tokens_out,
            "created_at": call.created_at.isoformat(),
        }
