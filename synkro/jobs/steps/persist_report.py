"""Step 7: figures and claims become a report, in the client's Supabase and in the cabinet."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flask_babel import force_locale, gettext

from synkro import clock
from synkro.analysis.answer import Answer
from synkro.analysis.coverage import Coverage
from synkro.analysis.masking import Masker
from synkro.analysis.report import plain_text
from synkro.integrations.supabase import Supabase
from synkro.jobs.evidence import Quotes
from synkro.jobs.handover import ANSWER, FIGURES, FINAL, MASKS, REPORT
from synkro.jobs.rendering import as_report
from synkro.jobs.step import Ctx, Done, Step
from synkro.jobs.steps.writing import Writer
from synkro.models.plan import StepKey
from synkro.models.states import ReportStatus
from synkro.services import reports, steps
from synkro.tenancy import db


class PersistReport(Step):
    key = StepKey.PERSIST_REPORT

    def run(self, ctx: Ctx) -> Done:
        figures, answer, model = _read(ctx)
        body = self._body(ctx, figures, answer)
        writer = Writer(ctx.connect(Supabase))
        ctx.beat(0, 2)
        writer.upsert("synkro_reports", [_report_row(ctx, figures, answer, body, model)])
        writer.upsert("synkro_analyses", [_analysis_row(ctx, answer, model)])
        ctx.beat(1, 2)
        ctx.save(REPORT, 0, [body])
        ctx.save(FINAL, 0, [{"answer": answer.to_json() if answer else None, "reason": _reason(ctx)}])
        status = ReportStatus.READY if answer else ReportStatus.FIGURES_ONLY
        steps.hold(ctx.claim)
        reports.save(ctx.run, status, answer.summary if answer else "", figures, figures["coverage"])
        db.session.commit()
        ctx.beat(2, 2)
        return Done("rows_refused", {"rows": writer.refused}) if writer.refused else Done()

    def _body(self, ctx: Ctx, figures: dict[str, Any], answer: Answer | None) -> dict[str, Any]:
        """Text, findings, unconfirmed claims and remarks, with real names and the messages that were cited."""
        quotes = Quotes(ctx, _cited(answer)) if answer else None
        with force_locale(ctx.run.language):
            text = plain_text(as_report(ctx.run, figures, answer, _reason(ctx)), gettext)
        if answer is None or quotes is None:
            return {"text": text, "findings": [], "unconfirmed": [], "managers": []}
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


def _read(ctx: Ctx) -> tuple[dict[str, Any], Answer | None, str]:
    """Figures with the coverage brought up to what the model really saw, the answer unmasked, the model's name."""
    counted, said, masks = (ctx.page(name) for name in (FIGURES, ANSWER, MASKS))
    if counted is None or said is None or masks is None:
        raise LookupError(FIGURES)
    coverage = Coverage.from_json(counted.rows[0]["coverage"])
    for chat, outcome in said.rows[0]["outcomes"].items():
        coverage.mark(int(chat), outcome)
    figures = {**counted.rows[0]["figures"], "coverage": coverage.stages(), "chats_by_outcome": coverage.chats()}
    raw = said.rows[0]["answer"]
    return figures, _unmasked(raw, Masker(masks.rows[0])) if raw else None, said.rows[0]["model"]


def _unmasked(raw: dict[str, Any], masker: Masker) -> Answer:
    """Placeholders become what they stood for, inside the values only: the structure is never text."""

    def restore(value: Any) -> Any:
        if isinstance(value, str):
            return masker.unmask(value)
        if isinstance(value, list):
            return [restore(item) for item in value]
        return {name: restore(item) for name, item in value.items()} if isinstance(value, dict) else value

    return Answer.from_json(restore(raw))


def _reason(ctx: Ctx) -> tuple[str, dict[str, Any]]:
    said = ctx.page(ANSWER)
    return (said.rows[0]["reason"], said.rows[0]["params"]) if said else ("", {})


def _cited(answer: Answer) -> Iterable[str]:
    return {ref for claim in (*answer.findings, *answer.managers) for ref in claim.evidence}


def _report_row(
    ctx: Ctx, figures: dict[str, Any], answer: Answer | None, body: dict[str, Any], model: str
) -> dict[str, Any]:
    return {
        "report_id": str(reports.id_for(ctx.run.id)),
        "run_id": str(ctx.run.id),
        "kind": ctx.run.kind,
        "window_start": ctx.start.isoformat(),
        "window_end": ctx.end.isoformat(),
        "body_markdown": body["text"],
        "summary": answer.summary if answer else "",
        "figures": figures,
        "findings": body["findings"],
        "coverage": figures["coverage"],
        "model": model or None,
        "created_at": clock.now().isoformat(),
    }


def _analysis_row(ctx: Ctx, answer: Answer | None, model: str) -> dict[str, Any]:
    usage = reports.ai_usage(ctx.run.id)
    db.session.rollback()
    return {
        "run_id": str(ctx.run.id),
        "seq": 0,
        "model": model,
        "prompt_hash": "",
        "outcome": "ok" if answer else _reason(ctx)[0],
        "answer": json.loads(json.dumps(answer.to_json())) if answer else None,
        "tokens_in": usage["tokens_in"],
        "tokens_out": usage["tokens_out"],
        "created_at": clock.now().isoformat(),
    }
