"""The steps of a run, by its kind: order, names for people, limits. What they do is in jobs/reports/steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from flask_babel import LazyString

from synkro.i18n import _l
from synkro.models.states import RunKind


class StepKey(StrEnum):
    """Of a report."""

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

    waits: seconds before the second, third ... try; their number limits the tries. counted: what the counter of the
    finished step counts, with %(count)s; '' where it says nothing to people.
    """

    key: str
    title: LazyString | str
    short: LazyString | str
    service: str
    limit: timedelta = timedelta(minutes=15)
    waits: tuple[int, ...] = (10, 60, 300, 900)
    counted: LazyString | str = ""

    @property
    def most_attempts(self) -> int:
        return len(self.waits) + 1


PLAN = (
    Plan(
        StepKey.FETCH_AMOCRM,
        _l("Loading deals from amoCRM"),
        _l("Deals from amoCRM"),
        "amocrm",
        timedelta(minutes=30),
        counted=_l("Deals: %(count)s"),
    ),
    Plan(
        StepKey.WRITE_LEADS,
        _l("Writing deals to Supabase"),
        _l("Writing deals"),
        "supabase",
        counted=_l("Rows: %(count)s"),
    ),
    Plan(
        StepKey.FETCH_RADIST,
        _l("Loading dialogs from Radist"),
        _l("Dialogs from Radist"),
        "radist",
        timedelta(minutes=60),
        counted=_l("Dialogs: %(count)s"),
    ),
    Plan(
        StepKey.WRITE_DIALOGS,
        _l("Writing dialogs to Supabase"),
        _l("Writing dialogs"),
        "supabase",
        timedelta(minutes=30),
        counted=_l("Rows: %(count)s"),
    ),
    Plan(StepKey.BUILD_PROMPT, _l("Building the prompt"), _l("Prompt"), "", counted=_l("Dialogs: %(count)s")),
    Plan(
        StepKey.ANALYSE,
        _l("Analysis by AI"),
        _l("Analysis"),
        "ai",
        timedelta(minutes=30),
        counted=_l("Requests to the AI: %(count)s"),
    ),
    Plan(StepKey.PERSIST_REPORT, _l("Saving the report"), _l("Saving"), "supabase"),
    Plan(
        StepKey.NOTIFY_TELEGRAM,
        _l("Sending to Telegram"),
        _l("Telegram"),
        "telegram",
        counted=_l("Messages: %(count)s"),
    ),
)
"""Of a report. The only place that knows how many steps there are."""
PLANS: dict[str, tuple[Plan, ...]] = dict.fromkeys(RunKind, PLAN)
"""Kind of a run -> its steps, in order."""
BY_KEY: dict[str, Plan] = {step.key: step for plan in PLANS.values() for step in plan}
"""What this release knows. In the tables there may be steps that a newer one has made: they are left to it."""


def plan_of(kind: str) -> tuple[Plan, ...]:
    """What a run of this kind is begun with. A run under way keeps the steps that it was begun with: its rows."""
    return PLANS[kind]


def step_of(key: str) -> Plan:
    """For those who show a step: one that is not known here has its key for a name."""
    return BY_KEY.get(key) or Plan(key, key, key, "")
