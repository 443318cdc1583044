"""The page a person starts with, and pages without sign-in."""

from __future__ import annotations

from synkro.blueprints.dashboard import dashboard, public, style
from synkro.blueprints.shared import navigation
from synkro.blueprints.shared.navigation import Entry
from synkro.i18n import _l

BLUEPRINTS = (dashboard.blueprint, public.blueprint, style.blueprint)
NAVIGATION = (Entry("overview", _l("Overview"), "home", "dashboard.overview", navigation.company_people),)
