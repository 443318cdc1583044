"""For staff: companies, people, the audit, health and queues."""

from __future__ import annotations

from synkro.blueprints.admin import audit, companies, health, people
from synkro.blueprints.shared import navigation
from synkro.blueprints.shared.navigation import Entry
from synkro.i18n import _l

BLUEPRINTS = (audit.blueprint, companies.blueprint, health.blueprint, people.blueprint)
NAVIGATION = (
    Entry("admin", _l("Companies"), "building", "admin.home", navigation.staff),
    Entry("people", _l("People"), "user", "people.index", navigation.staff),
    Entry("audit", _l("Audit"), "log", "audit.staff", navigation.super_admins),
    Entry("health", _l("Health"), "pulse", "health.show", navigation.super_admins),
    Entry("audit", _l("Audit"), "log", "audit.company", navigation.settings_people),
)
