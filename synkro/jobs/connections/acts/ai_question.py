"""What the AI would be asked about the dialogs that were looked at last: the company's texts and the masked package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from synkro.analysis.ai.prompt import system_instruction
from synkro.infra.records import Contact
from synkro.integrations.base import SAMPLE
from synkro.jobs.connections.acts.tried import Tried, last
from synkro.jobs.connections.sample_package import SamplePackage, names_of, packaged, sampled
from synkro.models import Trial
from synkro.models.states import Topic
from synkro.services.companies import tenants
from synkro.services.connections import prompts
from synkro.services.reports import schedules


@dataclass(frozen=True, slots=True)
class Question:
    """versions: of the company's texts in it."""

    system: str
    package: SamplePackage
    versions: dict[str, int]

    @property
    def kept(self) -> dict[str, Any]:
        """As it was sent: with placeholders."""
        return {"system": self.system, "user": self.package.user, "versions": self.versions}


def question_of(trial: Trial) -> Question | Tried:
    """Of the dialogs that were loaded last; else why there is none."""
    found = last("radist", SAMPLE)
    if not found or "dialogs" not in found:
        return Tried("red", "ai_dialogs_first")
    contacts = (last("amocrm", SAMPLE) or {}).get("contacts", ())
    dialogs = sampled(found["dialogs"], names_of(Contact.from_json(row) for row in contacts))
    if not dialogs:
        return Tried("yellow", "ai_dialogs_empty")
    company = tenants.get(trial.tenant_id)
    made = packaged(dialogs, schedules.working_hours(ZoneInfo(company.timezone)))
    told = {str(topic): prompts.current(topic) for topic in Topic}
    system = system_instruction(told[Topic.TASK].body, told[Topic.KNOWLEDGE].body, company.language)
    return Question(system, made, {topic: one.version for topic, one in told.items()})
