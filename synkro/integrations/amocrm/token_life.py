"""amoCRM's long-lived token: when it ends, by its own words. Nobody can renew it but a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from synkro.infra import clock
from synkro.integrations.amocrm.oauth import token_claims
from synkro.integrations.reading import number

ENDS_SOON = timedelta(days=14)
"""Whoever may make another token can be away for so long."""
LATEST_END = 4_102_444_800
"""The year 2100, in unix seconds: a token that says it lives longer does not say when it ends."""


def token_end(token: str) -> datetime | None:
    """The moment that a token names (claim exp); None where it cannot be read."""
    claimed = token_claims(token.strip()).get("exp")
    ends = number(claimed) if isinstance(claimed, int) else None
    return datetime.fromtimestamp(ends, UTC) if ends and 0 < ends < LATEST_END else None


def life(token: str) -> dict[str, Any]:
    """{token_ends (ISO time), days (whole ones that are left), ends_soon}, or {} where nobody can tell."""
    ends = token_end(token)
    if ends is None:
        return {}
    left = ends - clock.now()
    return {"token_ends": ends.isoformat(), "days": max(left.days, 0), "ends_soon": left < ENDS_SOON}
