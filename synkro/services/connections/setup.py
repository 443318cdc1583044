"""How far a company is with connecting its services: six steps, each with a state, and what stands behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from sqlalchemy import select

from synkro.i18n import _l
from synkro.integrations import INTEGRATIONS
from synkro.models import IntegrationConfig
from synkro.services.connections import checks, trials
from synkro.services.reports import schedules
from synkro.services.shared.wording import sentence
from synkro.tenancy import db

AUTOMATION = "automation"
AUTOMATION_TITLE = _l("Schedule")

State = Literal["locked", "empty", "saved", "checking", "choice", "idle", "unproved", "remark", "broken", "done"]
"""locked: something has to be done before. saved: not checked yet. choice: the keys work, and a person has to choose
from what they open. idle: it is reached and does not do what it is for. unproved: checked, and what it is for was not
seen yet. remark: works, with something to know. broken: does not work (any more)."""
GOOD = ("done", "remark")
USABLE = ("done", "remark", "unproved")
COLOURS: Mapping[State, str] = {
    "locked": "grey",
    "empty": "grey",
    "saved": "grey",
    "checking": "blue",
    "choice": "yellow",
    "idle": "yellow",
    "unproved": "yellow",
    "remark": "yellow",
    "broken": "red",
    "done": "green",
}


@dataclass(frozen=True, slots=True)
class SetupStep:
    """says: of the last check or proof, '' where the state says all. before: what it was, while it is checked anew.

    has_worked: once, with these settings or earlier ones. is_needed: without it there is nothing to report.
    """

    kind: str
    n: int
    title: str
    state: State
    says: str = ""
    before: State | None = None
    has_worked: bool = False
    is_needed: bool = False

    @property
    def is_trouble(self) -> bool:
        """A choice that is left is one only where there was none before."""
        return self.state in ("broken", "idle") or (self.state == "choice" and self.has_worked)

    @property
    def colour(self) -> str:
        return COLOURS[self.state]

    @property
    def left(self) -> str:
        return left(self.kind)

    @property
    def is_good(self) -> bool:
        """What works stays so while somebody looks at it again: the daily check opens no step anew."""
        return (self.before or self.state) in GOOD

    @property
    def is_usable(self) -> bool:
        return (self.before or self.state) in USABLE

    @property
    def is_open(self) -> bool:
        return self.state != "locked"


def left(kind: str) -> str:
    """What is left to do while a service is unproved."""
    return str(INTEGRATIONS[kind].left) if kind in INTEGRATIONS else ""


def steps() -> list[SetupStep]:
    """In the order in which they are set up; the schedule is the last."""
    configs = {config.kind: config for config in db.session.execute(select(IntegrationConfig)).scalars()}
    made: dict[str, SetupStep] = {}
    for n, (kind, cls) in enumerate(INTEGRATIONS.items(), 1):
        config = configs.get(kind)
        state, says = _state(kind, config)
        if state == "empty" and any(not made[needed].is_usable for needed in cls.after if needed in made):
            state = "locked"
        before = _by_last_check(kind, config)[0] if config and state == "checking" else None
        has_worked = config is not None and config.worked_at is not None
        made[kind] = SetupStep(kind, n, str(cls.title), state, says, before, has_worked, cls.is_needed)
    return [*made.values(), _schedule(list(made.values()))]


def _state(kind: str, config: IntegrationConfig | None) -> tuple[State, str]:
    if config is None or INTEGRATIONS[kind].missing({**config.settings, **config.secrets}):
        return "empty", ""
    if config.check_requested_at:
        return ("saved", sentence("no_worker", {})) if checks.nobody_came(config) else ("checking", "")
    return _by_last_check(kind, config)


def _by_last_check(kind: str, config: IntegrationConfig) -> tuple[State, str]:
    """By the last check that came to its end."""
    if config.check_colour is None:
        return "saved", ""
    says = checks.says(config)
    if config.check_stands in ("choice", "idle"):
        return cast(State, config.check_stands), says
    if config.check_colour == "red":
        return "broken", says
    if not _was_seen_to_work(config) or not trials.is_proved(kind, config.saved_at):
        return "unproved", says
    return ("remark" if config.check_colour == "yellow" else "done"), says


def _was_seen_to_work(config: IntegrationConfig) -> bool:
    """Since the settings were last saved, by a check that need not be the last one."""
    if config.check_stands != "unsure":
        return True
    return config.worked_at is not None and (config.saved_at is None or config.worked_at >= config.saved_at)


def _schedule(before: list[SetupStep]) -> SetupStep:
    """It is chosen by a person, and then in force: nothing outside has to agree."""
    n = len(before) + 1
    if schedules.of_tenant() is not None:
        return SetupStep(AUTOMATION, n, str(AUTOMATION_TITLE), "done")
    is_open = all(step.is_usable for step in before)
    return SetupStep(AUTOMATION, n, str(AUTOMATION_TITLE), "empty" if is_open else "locked")


def first_open(found: list[SetupStep]) -> SetupStep:
    """Where to go on: what is broken or not done yet, else the last."""
    return next((step for step in found if step.is_open and not step.is_good), found[-1])
