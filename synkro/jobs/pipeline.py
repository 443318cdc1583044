"""The pipeline: what each step of a plan does."""

from __future__ import annotations

from synkro.jobs.step import Step
from synkro.jobs.steps.analyse import Analyse
from synkro.jobs.steps.build_prompt import BuildPrompt
from synkro.jobs.steps.fetch_amocrm import FetchAmocrm
from synkro.jobs.steps.fetch_radist import FetchRadist
from synkro.jobs.steps.notify_telegram import NotifyTelegram
from synkro.jobs.steps.persist_report import PersistReport
from synkro.jobs.steps.write_dialogs import WriteDialogs
from synkro.jobs.steps.write_leads import WriteLeads

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
