"""What the page of a service has besides its form: a function of the company and what is saved, one file each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synkro.blueprints.wizard.extras import ai, amocrm, supabase, telegram
from synkro.models import IntegrationConfig, Tenant

Extra = Callable[[Tenant, IntegrationConfig | None], dict[str, Any]]

EXTRAS: dict[str, Extra] = {
    "supabase": supabase.extra,
    "ai": ai.extra,
    "amocrm": amocrm.extra,
    "telegram": telegram.extra,
}
"""Kind -> what templates/wizard/extras/<kind>.html reads as `extra`."""
