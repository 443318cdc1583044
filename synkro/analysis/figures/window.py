"""The half-open period a report covers, in UTC, cut by a company's zone and day boundary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

PeriodKind = Literal["daily", "weekly", "monthly"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_LOOK_BACK_DAYS = 64
"""Two months: the latest closed month ends at most 31 days back."""


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end), both aware and in UTC. Empty (start == end) where a zone skipped a whole day."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs aware instants")
        if self.start > self.end:
            raise ValueError("a window cannot end before it starts")

    def contains(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def contains_second(self, seconds: int) -> bool:
        """The same for unix seconds, in whole numbers, so that no size of input can overflow or round."""
        micros = seconds * 1_000_000
        return _micros(self.start) <= micros < _micros(self.end)


def day_window(day: date, zone: ZoneInfo, boundary_hour: int = 0) -> Window:
    return period_window(day, day, zone, boundary_hour)


def week_window(first: date, zone: ZoneInfo, boundary_hour: int = 0) -> Window:
    """Seven local days from `first` on."""
    return period_window(first, first + 6 * _DAY, zone, boundary_hour)


def month_window(day: date, zone: ZoneInfo, boundary_hour: int = 0) -> Window:
    """The calendar month that holds `day`."""
    first = day.replace(day=1)
    following = (first + 31 * _DAY).replace(day=1)
    return period_window(first, following - _DAY, zone, boundary_hour)


def period_window(first: date, last: date, zone: ZoneInfo, boundary_hour: int = 0) -> Window:
    """Local days `first` to `last`, both inclusive. ValueError when they are the wrong way round or out of range."""
    try:
        return Window(_boundary(first, zone, boundary_hour), _boundary(last + _DAY, zone, boundary_hour))
    except OverflowError as error:
        raise ValueError("the period is out of range") from error


def latest_closed(kind: PeriodKind, now: datetime, zone: ZoneInfo, boundary_hour: int = 0, weekday: int = 0) -> Window:
    """The newest period of this kind that has ended by `now`. A weekly one ends where `weekday` (0 = Monday) begins."""
    today = now.astimezone(zone).date()
    for back in range(-1, _LOOK_BACK_DAYS):
        following = today - back * _DAY
        if not _closes(kind, following, weekday):
            continue
        window = _ending(kind, following - _DAY, zone, boundary_hour)
        if window.end <= now and window.start < window.end:
            return window
    raise ValueError(f"no closed {kind} period")


def parse_instant(text: str, zone: ZoneInfo) -> datetime:
    """An ISO 8601 instant in UTC; one without offset is local time of the zone. ValueError when it is neither."""
    parsed = datetime.fromisoformat(text.strip())
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)
    try:
        return aware.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the instant is out of range") from error


def _boundary(day: date, zone: ZoneInfo, hour: int) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=zone).astimezone(UTC)


def _closes(kind: PeriodKind, following: date, weekday: int) -> bool:
    if kind == "weekly":
        return following.weekday() == weekday
    return kind == "daily" or following.day == 1


def _ending(kind: PeriodKind, last: date, zone: ZoneInfo, boundary_hour: int) -> Window:
    if kind == "weekly":
        return week_window(last - 6 * _DAY, zone, boundary_hour)
    if kind == "monthly":
        return month_window(last, zone, boundary_hour)
    return day_window(last, zone, boundary_hour)


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND
