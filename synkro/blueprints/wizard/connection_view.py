"""What the page of a service shows: how things stand, what is saved, what was tried out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext

from synkro.blueprints.shared import reader
from synkro.blueprints.wizard.extras import EXTRAS
from synkro.integrations import INTEGRATIONS
from synkro.integrations.base import Integration
from synkro.models import IntegrationConfig, Trial
from synkro.services.connections import checks, integrations, setup, trials
from synkro.services.connections.setup import SetupStep
from synkro.web.access import is_fresh

POLL_SECONDS = 1


@dataclass(frozen=True, slots=True)
class TrialShown:
    """state: waiting, running, lost or done. result: what the act has found, or {}."""

    state: str
    colour: str
    says: str
    at: datetime
    result: dict[str, Any]

    @property
    def is_under_way(self) -> bool:
        return self.state in ("waiting", "running")


@dataclass(frozen=True, slots=True)
class Shown:
    """offers: field -> what there is to choose from. extra: what only this service has. poll: seconds, 0 for never."""

    cls: type[Integration]
    kind: str
    step: SetupStep
    steps: list[SetupStep]
    config: IntegrationConfig | None
    offers: dict[str, list[dict[str, str]]]
    trials: dict[str, TrialShown]
    extra: dict[str, Any]
    proof: str
    can_change: bool

    @property
    def title(self) -> str:
        return str(self.cls.title)

    @property
    def saved(self) -> frozenset[str]:
        """Names of the secrets that are kept."""
        return frozenset(self.config.secrets) if self.config else frozenset()

    def kept(self, way: str) -> frozenset[str]:
        """Those that stay when this way's form leaves them empty: another way to connect has keys of its own."""
        is_elsewhere = self.cls.way_field and way != self.cls.way_in_use(self.chosen)
        return frozenset() if is_elsewhere else self.saved

    @property
    def chosen(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.config.settings.items()} if self.config else {}

    @property
    def works(self) -> bool:
        return self.step.state in setup.USABLE

    @property
    def check_says(self) -> str:
        return checks.says(self.config) if self.config else ""

    @property
    def check_code(self) -> str:
        return (self.config.check_code or "") if self.config else ""

    @property
    def before(self) -> list[str]:
        """Titles of what has to be connected first, and is not yet."""
        return [step.title for step in self.steps if step.kind in self.cls.after and not step.is_usable]

    @property
    def next(self) -> SetupStep | None:
        return next((step for step in self.steps if step.n == self.step.n + 1), None)

    @property
    def poll(self) -> int:
        under_way = self.step.state == "checking" or any(trial.is_under_way for trial in self.trials.values())
        return POLL_SECONDS if under_way else 0


def shown(kind: str) -> Shown:
    # in this order: what ends in between is seen by whatever is read later, and the page looks once more
    tried = {act: _trial(trial) for act, trial in trials.latest_of(kind).items()}
    steps, config, cls = setup.steps(), integrations.find(kind), INTEGRATIONS[kind]
    return Shown(
        cls=cls,
        kind=kind,
        step=next(step for step in steps if step.kind == kind),
        steps=steps,
        config=config,
        offers=config.offers if config else {},
        trials=tried,
        extra=EXTRAS[kind](reader.my_company(), config) if kind in EXTRAS else {},
        proof=cls.proof.act if cls.proof else "",
        can_change=is_fresh("password"),
    )


def _trial(trial: Trial) -> TrialShown:
    state = trials.state(trial)
    if state == "lost":
        says = gettext("No worker has finished this. Try once more.")
        return TrialShown(state, "yellow", says, trial.asked_at, {})
    at = trial.finished_at or trial.asked_at
    return TrialShown(state, trial.colour or "blue", trials.says(trial), at, trials.result(trial) or {})
