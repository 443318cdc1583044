"""Runs being made, and the reports that came of them."""

from __future__ import annotations

from synkro.blueprints.reports import reports, runs
from synkro.blueprints.shared import navigation
from synkro.blueprints.shared.navigation import Entry
from synkro.i18n import _l

BLUEPRINTS = (reports.blueprint, runs.blueprint)
NAVIGATION = (Entry("reports", _l("Reports"), "report", "reports.index", navigation.company_people),)
