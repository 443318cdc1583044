"""Counted figures with their names, definitions and notes, ready for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask_babel import gettext

from synkro.analysis.figures.definitions import DEFINITIONS
from synkro.blueprints.shared import formats

Figures = Mapping[str, Any]
"""As a report stores them. One made before a figure existed lacks it: "no data"."""

KEY_FIGURES = ("first_response_median_s", "unanswered", "leads_in_window", "leads_won")
REPORT_FIGURES = (
    "leads_in_window",
    "leads_won",
    "leads_lost",
    "active_chats",
    "messages_in",
    "unanswered",
    "unmatched_waiting",
    "out_failed",
)
BESIDE = {
    "first_response_median_s": ("first_response_p90_s",),
    "leads_in_window": ("leads_open", "price_null"),
    "leads_won": ("price_sum_won",),
    "leads_lost": ("price_sum_lost",),
    "active_chats": ("chats_matched",),
    "messages_in": ("messages_out",),
    "unmatched_waiting": ("unmatched_active",),
}
"""Figures that are told in a note under another one."""
WAITING_NOTES = (60, 1440)
"""Minutes."""


def figure(key: str, figures: Figures) -> dict[str, Any]:
    """{key, label, definition, value, notes}."""
    known = DEFINITIONS[key]
    return {
        "key": key,
        "label": str(known.label),
        "definition": str(known.meaning),
        "value": shown(key, figures.get(key)),
        "notes": list(_notes(key, figures)),
    }


def shown(key: str, value: float | None) -> str:
    return formats.duration(value) if key.endswith("_s") else formats.number(value)


def _notes(key: str, figures: Figures) -> Iterator[str]:
    for other in BESIDE.get(key, ()):
        yield f"{DEFINITIONS[other].label}: {shown(other, figures.get(other))}"
    if key == "unanswered":
        older = figures.get("unanswered_older_than", {})
        for minutes in WAITING_NOTES:
            if count := older.get(str(minutes)):
                time = formats.duration(minutes * 60)
                yield gettext(
                    "More than %(time)s since the client's last message: %(count)s",
                    time=time,
                    count=formats.number(count),
                )


def trend(key: str, series: Sequence[Figures]) -> list[float] | None:
    """The figure in each report, oldest first; None where there is no line to draw."""
    values = [figures[key] for figures in series if figures.get(key) is not None]
    return values if len(values) > 1 else None


def responses(figures: Figures) -> list[dict[str, str]]:
    """First and all responses, around the clock and in working hours: {key, label, definition, median, p90, count}."""
    work = figures.get("working_hours", {})
    within = gettext("in working hours")
    first, every = gettext("First response"), gettext("All responses")
    return [
        _speed("first_response", first, figures, figures, "first_response_median_s"),
        _speed("response", every, figures, figures, "response_median_s"),
        _speed("first_response", f"{first}, {within}", work, figures, "working_hours"),
        _speed("response", f"{every}, {within}", work, figures, "working_hours"),
    ]


def _speed(name: str, label: str, source: Figures, figures: Figures, defined: str) -> dict[str, str]:
    return {
        "key": name if source is figures else f"{name}-work",
        "label": label,
        "definition": str(DEFINITIONS[defined].meaning),
        "median": formats.duration(source.get(f"{name}_median_s")),
        "p90": formats.duration(source.get(f"{name}_p90_s")),
        "count": formats.number(figures.get(f"{name}_n")),
    }


def hours(figures: Figures) -> dict[str, Any] | None:
    """Messages by the hour of the day; None where there were none."""
    counts = figures.get("inbound_by_hour") or [0] * 24
    if not any(counts):
        return None
    peak = max(range(24), key=counts.__getitem__)
    known = DEFINITIONS["inbound_by_hour"]
    return {
        "title": str(known.label),
        "definition": str(known.meaning),
        "counts": [(f"{hour}:00", count) for hour, count in enumerate(counts)],
        "work": figures.get("open_hours"),
        "note": "",
        "words": gettext("Most at %(hour)s: %(count)s", hour=f"{peak}:00", count=formats.number(counts[peak])),
    }
