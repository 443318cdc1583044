"""The five connections as lights with one sentence each."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext

from synkro.integrations import INTEGRATIONS
from synkro.models import IntegrationConfig
from synkro.services import checks, integrations
from synkro.services.wording import sentence


@dataclass(frozen=True, slots=True)
class Tile:
    """colour: green, yellow, red, blue while a check is on its way, grey before the first. url: '' where none is."""

    kind: str
    title: str
    colour: str
    says: str
    url: str = ""


def tiles() -> list[Tile]:
    """In the order in which they are set up."""
    return [Tile(kind, str(cls.title), *_state(integrations.find(kind), kind)) for kind, cls in INTEGRATIONS.items()]


def _state(config: IntegrationConfig | None, kind: str) -> tuple[str, str]:
    """(colour, what to say)."""
    if config is None or INTEGRATIONS[kind].missing({**config.settings, **config.secrets}):
        return "grey", gettext("Not set up yet")
    if config.check_requested_at:
        if checks.nobody_came(config):
            return "yellow", sentence("no_worker", {})
        return "blue", gettext("Being checked")
    if config.check_colour:
        return config.check_colour, checks.says(config) or gettext("Works")
    return "grey", gettext("Saved, not checked yet")
