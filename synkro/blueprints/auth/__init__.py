"""In and out: signing in, the second factor, links into the cabinet, the own account."""

from __future__ import annotations

from synkro.blueprints.auth import account, preferences, second_factor, sign_in, welcome
from synkro.blueprints.shared.navigation import Entry

BLUEPRINTS = (account.blueprint, preferences.blueprint, second_factor.blueprint, sign_in.blueprint, welcome.blueprint)
NAVIGATION: tuple[Entry, ...] = ()
