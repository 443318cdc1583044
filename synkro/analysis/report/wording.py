"""Numbers and times as people read them, in words that need no plural forms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Translate = Callable[[str], str]
"""gettext: an English text in, the reader's language out."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def duration(seconds: float | None, gettext: Translate) -> str:
    """ "45 s", "6 min", "1 h 12 min", "2 d"; "no data" for None. Parts below the smallest unit are cut off."""
    if seconds is None:
        return gettext("no data")
    whole = max(int(seconds), 0)
    if whole < _MINUTE:
        return gettext("%(seconds)s s") % {"seconds": whole}
    days, hours, minutes = whole // _DAY, whole % _DAY // _HOUR, whole % _HOUR // _MINUTE
    parts = [
        gettext("%(days)s d") % {"days": days} if days else "",
        gettext("%(hours)s h") % {"hours": hours} if hours else "",
        gettext("%(minutes)s min") % {"minutes": minutes} if minutes and not days else "",
    ]
    return " ".join(filter(None, parts))


def number(value: float) -> str:
    """1 500 000, with spaces that do not break."""
    return f"{value:,.0f}".replace(",", "\u00a0")


def moment(instant: datetime) -> str:
    return f"{instant:%d.%m.%Y %H:%M}"
