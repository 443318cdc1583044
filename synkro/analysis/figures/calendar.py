"""Working time of a company: how many seconds of it lie between two instants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DayHours = tuple[tuple[int, int], ...]
"""Spans of one local day in minutes from midnight, e.g. ((540, 780), (840, 1080)). 1440 is the next midnight."""

OFFICE_HOURS = (9, 18)

_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """A weekly calendar in local time. week: seven days from Monday; a day off is an empty tuple."""

    zone: ZoneInfo
    week: tuple[DayHours, ...]

    def __post_init__(self) -> None:
        if len(self.week) != 7 or not all(_in_order(day) for day in self.week):
            raise ValueError("working hours need seven days of spans in order")

    @classmethod
    def same_each_day(cls, zone: ZoneInfo, weekdays: Iterable[int], start: time, end: time) -> WorkingHours:
        """The usual case: one span on each of these weekdays (0 = Monday). An end of 00:00 means midnight."""
        span = ((_minutes(start), _minutes(end) or _DAY_MINUTES),)
        working = set(weekdays)
        return cls(zone, tuple(span if day in working else () for day in range(7)))

    @classmethod
    def office(cls, zone: ZoneInfo) -> WorkingHours:
        """Until a company sets its own calendar: Monday to Friday, nine to six."""
        return cls.same_each_day(zone, range(5), time(OFFICE_HOURS[0]), time(OFFICE_HOURS[1]))

    def seconds_between(self, start: datetime, end: datetime) -> float:
        """Seconds of working time in [start, end); 0 when the end is not after the start."""
        total = timedelta()
        for opens, closes in self._spans(start, end):
            total += max(min(closes, end) - max(opens, start), timedelta())
        return total.total_seconds()

    def hours_of_day(self, start: datetime, end: datetime) -> list[int]:
        """Hours of the local day, 0 to 23, that hold working time on any day of [start, end)."""
        hours = set()
        for opens, closes in self._spans(start, end):
            at, until = max(opens, start).astimezone(UTC), min(closes, end)
            while at < until:
                local = at.astimezone(self.zone)
                hours.add(local.hour)
                at += timedelta(hours=1) - timedelta(minutes=local.minute, seconds=local.second)
        return sorted(hours)

    def _spans(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        day, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        while day <= last:
            for opens, closes in self.week[day.weekday()]:
                yield self._instant(day, opens), self._instant(day, closes)
            day += timedelta(days=1)

    def _instant(self, day: date, minutes: int) -> datetime:
        days, rest = divmod(minutes, _DAY_MINUTES)
        local = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), tzinfo=self.zone)
        # Python subtracts two times of one zone by the clock on the wall; only UTC counts what has really passed.
        return local.astimezone(UTC)


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _in_order(day: DayHours) -> bool:
    marks = [mark for span in day for mark in span]
    grows = all(opens < closes for opens, closes in day)
    return grows and marks == sorted(marks) and all(0 <= mark <= _DAY_MINUTES for mark in marks)
