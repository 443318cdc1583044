"""Periods, numbers and durations as the reader of the page writes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_location
from flask_babel import format_datetime, get_locale, gettext

from synkro.analysis.report import wording


def period(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """ "19.11.2026", "13.11.2026 – 19.11.2026"; with hours where the days do not begin at midnight."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    if (first.hour, first.minute) != (0, 0) or (last.hour, last.minute) != (0, 0):
        return f"{wording.moment(first)} – {wording.moment(last)}"
    last -= timedelta(days=1)
    if first.date() >= last.date():
        return f"{first:%d.%m.%Y}"
    return f"{first:%d.%m.%Y} – {last:%d.%m.%Y}"


def zone_text(zone_name: str) -> str:
    """The city of a zone in the reader's language."""
    return str(get_timezone_location(ZoneInfo(zone_name), locale=get_locale(), return_city=True))


def number(value: float | None) -> str:
    return gettext("no data") if value is None else wording.number(value)


def duration(seconds: float | None) -> str:
    return wording.duration(seconds, gettext)


def iso_moment(text: str) -> str:
    """A moment that was kept as ISO text, in the reader's zone; as it is where it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return str(format_datetime(at, "d MMM y, HH:mm"))
