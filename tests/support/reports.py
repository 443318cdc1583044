"""A report as people get it, with an analysis and without."""

from __future__ import annotations

from dataclasses import replace

from synkro.analysis.ai.answer import Answer, Finding, Remark
from synkro.analysis.report.texts import ReportText
from tests.support.deals_and_chats import ALMATY, WINDOW
from tests.support.figures import figures_of

ANSWER = Answer(
    "All in all <b>fine</b>\nSecond line",
    (Finding("risk", "Answers are *slow* & late", ("d1m1",)), Finding("idea", "Call first", ("d1m2",))),
    (Remark("Aliya", "[quick](x)", ("d1m1",)),),
    ("Somebody was rude",),
)
REPORT = ReportText("Company <1>", "R-7", WINDOW, ALMATY, figures_of().result(), ANSWER, url="https://synkro.test/r/7")
FIGURES_ONLY = replace(REPORT, answer=None, ai_gap="The budget is used up.")
