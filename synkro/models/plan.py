"""The eight steps of a run: order, names for people, limits. What they do is in jobs/reports/steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from flask_babel import LazyString

from synkro.i18n import _l


class StepKey(StrEnum):
    FETCH_AMOCRM = "fetch_amocrm"
    WRITE_LEADS = "write_leads"
    FETCH_RADIST = "fetch_radist"
    WRITE_DIALOGS = "write_dialogs"
    BUILD_PROMPT = "build_prompt"
    ANALYSE = "analyse"
    PERSIST_REPORT = "persist_report"
    NOTIFY_TELEGRAM = "notify_telegram"


@dataclass(frozen=True, slots=True)
class Plan:
    """service: what the step stands and falls with. limit: longest single try.

    waits: seconds before the second, third ... try; their number limits the tries.
    """

    key: StepKey
    title: LazyString
    short: LazyString
    service: str
    limit: timedelta = timedelta(minutes=15)
    waits: tuple[int, ...] = (10, 60, 300, 900)

    @property
    def most_attempts(self) -> int:
        return len(self.waits) + 1


PLAN = (
    Plan(
        StepKey.FETCH_AMOCRM, _l("Loading deals from amoCRM"), _l("Deals from amoCRM"), "amocrm", timedelta(minutes=30)
    ),
    Plan(StepKey.WRITE_LEADS, _l("Writing deals to Supabase"), _l("Writing deals"), "supabase"),
    Plan(
        StepKey.FETCH_RADIST,
        _l("Loading dialogs from Radist"),
        _l("Dialogs from Radist"),
        "radist",
        timedelta(minutes=60),
    ),
    Plan(
        StepKey.WRITE_DIALOGS,
        _l("Writing dialogs to Supabase"),
        _l("Writing dialogs"),
        "supabase",
        timedelta(minutes=30),
    ),
    Plan(StepKey.BUILD_PROMPT, _l("Building the prompt"), _l("Prompt"), ""),
    Plan(StepKey.ANALYSE, _l("Analysis by AI"), _l("Analysis"), "ai", timedelta(minutes=30)),
    Plan(StepKey.PERSIST_REPORT, _l("Saving the report"), _l("Saving"), "supabase"),
    Plan(StepKey.NOTIFY_TELEGRAM, _l("Sending to Telegram"), _l("Telegram"), "telegram"),
)
BY_KEY = {plan.key: plan for plan in PLAN}
