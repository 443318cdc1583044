"""What a company sets up: its services, the schedule, its texts for the AI."""

from __future__ import annotations

from synkro.blueprints.shared import navigation
from synkro.blueprints.shared.navigation import Entry
from synkro.blueprints.wizard import amocrm, automation, company_settings, hosts, prompts, settings
from synkro.i18n import _l

BLUEPRINTS = (
    amocrm.blueprint,
    automation.blueprint,
    company_settings.blueprint,
    hosts.blueprint,
    prompts.blueprint,
    settings.blueprint,
)
NAVIGATION = (Entry("settings", _l("Settings"), "sliders", "settings.index", navigation.settings_people),)
