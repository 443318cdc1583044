"""The pipeline: what each step of a plan does."""

from __future__ import annotations

from synkro.jobs.reports.step import Step
from synkro.jobs.reports.steps.analyse import Analyse
from synkro.jobs.reports.steps.build_prompt import BuildPrompt
from synkro.jobs.reports.steps.fetch_amocrm import FetchAmocrm
from synkro.jobs.reports.steps.fetch_radist import FetchRadist
from synkro.jobs.reports.steps.notify_telegram import NotifyTelegram
from synkro.jobs.reports.steps.persist_report import PersistReport
from synkro.jobs.reports.steps.write_dialogs import WriteDialogs
from synkro.jobs.reports.steps.write_leads import WriteLeads

PIPELINE: tuple[Step, ...] = (
    FetchAmocrm(),
    WriteLeads(),
    FetchRadist(),
    WriteDialogs(),
    BuildPrompt(),
    Analyse(),
    PersistReport(),
    NotifyTelegram(),
)
STEPS: dict[str, Step] = {step.key: step for step in PIPELINE}
