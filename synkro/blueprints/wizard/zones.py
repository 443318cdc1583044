"""Time zones to choose from: those of Kazakhstan and Russia first, by their cities in the reader's language."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global
from babel.dates import get_timezone_location
from flask_babel import get_locale, gettext
from wtforms import SelectChoice

from synkro.infra import clock

FIRST = ("KZ", "RU")
NOWHERE = "ZZ"
"""Territory of zones without a place, such as GMT+5, whose sign means the opposite of what people read."""
MINUTES = 60


def choices(*besides: str) -> list[SelectChoice]:
    """In three groups. besides: names that must be among them, although they are only other names of the same zones."""
    now = clock.now()
    titles = {"KZ": gettext("Kazakhstan"), "RU": gettext("Russia"), "": gettext("All other zones")}
    cities = _cities(str(get_locale()), tuple(sorted(set(besides))))
    return [
        SelectChoice(name, f"{city} ({_offset(name, now)})", optgroup=titles[group])
        for group in titles
        for of, city, name in cities
        if of == group
    ]


@lru_cache(maxsize=32)
def _cities(locale: str, besides: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """(group, city, zone) by city: half a second for a thousand of them, so not for every page."""
    territories = get_global("zone_territories")
    places = {name for name in available_timezones() if territories.get(name, NOWHERE) != NOWHERE}
    names = places | set(besides) | {"UTC"}
    found = []
    for name in names:
        group = territories.get(name, "")
        city = get_timezone_location(ZoneInfo(name), locale=locale, return_city=True)
        found.append((group if group in FIRST else "", str(city), name))
    return sorted(found)


def _offset(name: str, now: datetime) -> str:
    """ "UTC+5", "UTC−3:30": as of now."""
    offset = now.astimezone(ZoneInfo(name)).utcoffset()
    minutes = round(offset.total_seconds() / MINUTES) if offset else 0
    hours, rest = divmod(abs(minutes), MINUTES)
    return f"UTC{'−' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}"
